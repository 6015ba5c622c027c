import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type InferOutput, number, object, optional, picklist, string } from "valibot";

/** One path of a tree as plain data; see {@link describeTree}. */
export const treeEntrySchema = object({
  /** Relative to the root; the root itself is ".". */
  path: string(),
  kind: picklist(["file", "dir", "symlink", "char", "block", "fifo", "socket"]),
  /** Permissions, setuid, setgid and sticky bits in octal, four digits. */
  mode: string(),
  uid: number(),
  gid: number(),
  /** Microseconds since 1970. */
  mtimeUs: number(),
  /** Of files: size and content. */
  size: optional(number()),
  sha256: optional(string()),
  /** Of symlinks: where it points. */
  target: optional(string()),
  /** Of devices: major and minor number. */
  device: optional(string()),
  /** Of files that have several names in this tree: the first of those names. */
  hardLinkGroup: optional(string()),
});

/** One path of a tree as plain data; see {@link describeTree}. */
export type TreeEntry = InferOutput<typeof treeEntrySchema>;

/**
 * Describes a directory and every path below it, sorted by the bytes of the path. Names and link
 * targets hold one character per byte (latin1), so that names which are no UTF-8 survive too.
 */
export function describeTree(root: string): TreeEntry[] {
  const names = [Buffer.from("."), ...namesBelow(root, Buffer.alloc(0))].sort(Buffer.compare);
  const firstNames = new Map<string, string>();
  const nameCounts = new Map<string, number>();
  const found = names.map((name) => {
    const absolute = inside(root, name);
    const stat = lstatSync(absolute, { bigint: true });
    const path = name.toString("latin1");
    const inode = `${stat.dev}:${stat.ino}`;
    firstNames.set(inode, firstNames.get(inode) ?? path);
    nameCounts.set(inode, (nameCounts.get(inode) ?? 0) + 1);
    return { absolute, stat, path, inode };
  });
  return found.map(({ absolute, stat, path, inode }) => ({
    path,
    kind: kindOf(stat),
    mode: (stat.mode & 0o7777n).toString(8).padStart(4, "0"),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeUs: Number(stat.mtimeNs / 1000n),
    ...contentOf(absolute, stat),
    ...(nameCounts.get(inode) === 1 ? {} : { hardLinkGroup: firstNames.get(inode) }),
  }));
}

const inside = (root: string, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), name]);

function namesBelow(root: string, dir: Buffer): Buffer[] {
  const entries = readdirSync(inside(root, dir), { encoding: "buffer", withFileTypes: true });
  return entries.flatMap((entry) => {
    const name = dir.length === 0 ? entry.name : Buffer.concat([dir, Buffer.from("/"), entry.name]);
    return entry.isDirectory() ? [name, ...namesBelow(root, name)] : [name];
  });
}

function kindOf(stat: BigIntStats): TreeEntry["kind"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "dir";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return "char";
  if (stat.isBlockDevice()) return "block";
  return stat.isFIFO() ? "fifo" : "socket";
}

function contentOf(path: Buffer, stat: BigIntStats): Partial<TreeEntry> {
  switch (kindOf(stat)) {
    case "file":
      return {
        size: Number(stat.size),
        sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
      };
    case "symlink":
      return { target: readlinkSync(path, "buffer").toString("latin1") };
    case "char":
    case "block":
      return { device: `${(stat.rdev >> 8n) & 0xfffn}:${stat.rdev & 0xffn}` };
    default:
      return {};
  }
}
