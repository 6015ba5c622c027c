import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { type ByteString, pathBelow } from "../../host/byte-string.js";
import { modificationTime } from "../../host/file-time.js";
import { join } from "../../host/rooted-tree.js";
import { inodeId } from "../check/inode-book.js";
import { type ListedDirectory, type ListedNode, newDirectory } from "./listed-node.js";

/**
 * A tree as it is on disk, in the form in which listings are read: for layers that have none. Of
 * special files nothing is listed.
 */
export function listTree(tree: string): ListedDirectory {
  const nodes = new Map<string, ListedNode>();
  const root = newDirectory(metadataOf(lstatSync(tree, { bigint: true })));
  const pending: [ByteString, ListedDirectory][] = [["", root]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [path, directory] = next;
    for (const name of readdirSync(pathBelow(tree, path), { encoding: "latin1" })) {
      const below = join(path, name);
      const stat = lstatSync(pathBelow(tree, below), { bigint: true });
      const node = nodes.get(inodeId(stat)) ?? nodeOf(stat, { tree, path: below });
      if (!node) continue;
      directory.children.set(name, node);
      if (node.kind === "directory") pending.push([below, node]);
      else nodes.set(inodeId(stat), node);
    }
  }
  return root;
}

type Stat = ReturnType<typeof lstatBig>;

function lstatBig(path: string) {
  return lstatSync(path, { bigint: true });
}

function nodeOf(
  stat: Stat,
  { tree, path }: { tree: string; path: ByteString },
): ListedNode | undefined {
  const metadata = metadataOf(stat);
  if (stat.isDirectory()) return newDirectory(metadata);
  if (stat.isSymbolicLink()) {
    const target = readlinkSync(pathBelow(tree, path), { encoding: "latin1" });
    return { kind: "symlink", tree, ...metadata, target };
  }
  if (!stat.isFile()) return undefined;
  return { kind: "file", tree, ...metadata, size: Number(stat.size), digest: undefined };
}

function metadataOf(stat: Stat) {
  const mode = Number(stat.mode & 0o7777n);
  return { mode, uid: Number(stat.uid), gid: Number(stat.gid), mtime: modificationTime(stat) };
}
