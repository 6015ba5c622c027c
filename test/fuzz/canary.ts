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
  /** Only a file of this size may be a copy of one of the canary's. */
  readonly secretSize: number;
  isSecret(content: Buffer): boolean;
}

/** A length that no file of any seed has. */
const secretSize = 4242;
const secret = Buffer.alloc(secretSize, "secret ");

/**
 * Makes a canary tree at `root`. Whoever changes a file of it, or its name, mode, owner, time or
 * number of links, changes its ctime at least; whoever reads one, its atime.
 */
export function makeCanary(root: string): Canary {
  mkdirSync(`${root}/dir/below`, { recursive: true });
  mkdirSync(`${root}/empty`);
  mkdirSync(`${root}/odd`);
  writeFileSync(`${root}/f`, secret);
  writeFileSync(`${root}/dir/f`, secret);
  writeFileSync(`${root}/dir/below/f`, "");
  linkSync(`${root}/f`, `${root}/dir/second-name`);
  symlinkSync("dir", `${root}/l`);
  chmodSync(`${root}/f`, 0o644);
  chmodSync(`${root}/dir/f`, 0o4755);
  chmodSync(`${root}/odd`, 0o1775);
  for (const path of walk(root)) lutimesSync(path, 1_000_000, 2_000_000);
  const before = stateOf(root);
  return {
    secretSize,
    isSecret: (content) => content.equals(secret),
    check() {
      const now = stateOf(root);
      const changed = [...new Set([...before.keys(), ...now.keys()])].filter(
        (path) => before.get(path) !== now.get(path),
      );
      if (changed.length === 0) return;
      const told = changed.map((path) => `${path}: ${before.get(path)} -> ${now.get(path)}`);
      throw new Error(`the canary tree has changed: ${told.join("; ")}`);
    },
  };
}

function stateOf(root: string): ReadonlyMap<string, string> {
  return new Map(
    walk(root).map((path) => {
      const stat = lstatSync(path, { bigint: true });
      const { ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs } = stat;
      // Listing a directory, as anybody may, changes the time of its last reading.
      const read = stat.isFile() ? stat.atimeNs : 0n;
      return [path, [ino, mode, uid, gid, nlink, size, mtimeNs, ctimeNs, read].join(" ")];
    }),
  );
}

function walk(root: string): readonly string[] {
  const below = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(`${root}/${entry.name}`) : [`${root}/${entry.name}`],
  );
  return [root, ...below];
}
