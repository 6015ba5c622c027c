import { lstatSync } from "node:fs";
import { type ByteString, pathBelow } from "../../src/host/byte-string.js";
import { type Described, lineOf } from "./layer-model.js";
import { contentOf, pathsBelow } from "./tree-contents.js";

/**
 * A tree on disk in the words of the layer model: types, content, modes, times, hard links.
 * @param adjust leaves out what does not matter
 */
export function treeLines(
  root: string,
  adjust: (path: ByteString, described: Described) => Described = (_, described) => described,
): readonly string[] {
  const found = ["", ...pathsBelow(root)].map((path) => {
    return { path, stat: lstatSync(pathBelow(root, path), { bigint: true }) };
  });
  const names = new Map<bigint, ByteString[]>();
  for (const { path, stat } of found) names.set(stat.ino, [...(names.get(stat.ino) ?? []), path]);
  return found.map(({ path, stat }) => {
    const described = {
      mode: Number(stat.mode & 0o7777n),
      mtime: Number(stat.mtimeNs / 1000n) / 1e6,
      what: contentOf(pathBelow(root, path), stat),
    };
    return lineOf(path, adjust(path, described), names.get(stat.ino) ?? []);
  });
}
