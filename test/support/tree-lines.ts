import { lstatSync } from "node:fs";
import { type ByteString, pathBelow } from "../../src/host/byte-string.js";
import { lineOf } from "./layer-model.js";
import { contents, modeOf, mtimeOf } from "./tree-contents.js";

/** A tree on disk in the words of the layer model: types, content, modes, times, hard links. */
export function treeLines(root: string): readonly string[] {
  const found = new Map([["", "/"], ...Object.entries(contents(root))]);
  const names = new Map<bigint, ByteString[]>();
  const inode = (path: ByteString) => lstatSync(pathBelow(root, path), { bigint: true }).ino;
  for (const path of found.keys()) {
    names.set(inode(path), [...(names.get(inode(path)) ?? []), path]);
  }
  return [...found].map(([path, what]) => {
    const described = { mode: modeOf(root, path), mtime: mtimeOf(root, path), what };
    return lineOf(path, described, names.get(inode(path)) ?? []);
  });
}
