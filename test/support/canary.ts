import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";

/** What stands beside the trees under test and must stay as it is. */
export interface Canary {
  /** @throws Error that says what has changed */
  check(): void;
}

/** A length that no file of any test input has; only a file of this size may be a secret. */
export const secretSize = 4242;
const secret = Buffer.alloc(secretSize, "secret ");

/** Whether a file's content is that of a canary's files. */
export function isSecret(content: Buffer): boolean {
  return content.equals(secret);
}

/** Makes a canary tree at `root` and watches it. */
export function makeCanary(root: string): Canary {
  plantCanary(root);
  return watchTree(root);
}

/** Files, directories and links for others to keep their hands off, in a directory or a new one. */
export function plantCanary(root: string): void {
  mkdirSync(`${root}/dir/below`, { recursive: true });
  mkdirSync(`${root}/empty`);
  mkdirSync(`${root}/odd`);
  mkdirSync(`${root}/etc`);
  writeFileSync(`${root}/f`, secret);
  writeFileSync(`${root}/etc/passwd`, secret);
  writeFileSync(`${root}/dir/f`, secret);
  writeFileSync(`${root}/dir/below/f`, "");
  linkSync(`${root}/f`, `${root}/dir/second-name`);
  symlinkSync("dir", `${root}/l`);
  chmodSync(`${root}/f`, 0o644);
  chmodSync(`${root}/dir/f`, 0o4755);
  chmodSync(`${root}/odd`, 0o1775);
}

/**
 * Remembers how a tree stands. Whoever then changes a file of it, or its name, mode, owner, time or
 * number of links, changes its ctime at least; whoever reads one, its atime.
 * @param except paths of directories that are left out, with all below them
 */
export function watchTree(root: string, except: readonly string[] = []): Canary {
  const paths = () => walk(root, new Set(except));
  for (const path of paths()) lutimesSync(path, 1_000_000, 2_000_000);
  const before = stateOf(paths());
  return {
    check() {
      const now = stateOf(paths());
      const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
        (path) => before.get(path) !== now.get(path),
      );
      if (changed.length === 0) return;
      const told = changed.map((path) => `${path}: ${before.get(path)} -> ${now.get(path)}`);
      throw new Error(`the canary tree has changed: ${told.join("; ")}`);
    },
  };
}

function stateOf(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    paths.map((path) => {
      const stat = lstatSync(path, { bigint: true });
      const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = stat;
      // Listing a directory, as anybody may, changes the time of its last reading.
      const read = stat.isFile() ? stat.atimeNs : 0n;
      return [path, [ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs, read].join(" ")];
    }),
  );
}

function walk(root: string, except: ReadonlySet<string>): readonly string[] {
  const below = readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    const path = `${root}/${entry.name}`;
    if (except.has(path)) return [];
    return entry.isDirectory() ? walk(path, except) : [path];
  });
  return [root, ...below];
}
