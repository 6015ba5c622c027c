// @ts-check
/** Copies of the host's files, under the names that they have there, links and all. */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { ScriptError } from "../lib/script.mjs";

/**
 * @typedef {{ type: "directory" }
 *   | { type: "symlink", target: string }
 *   | { type: "file", mode: number, content: Buffer }} TreeEntry
 * @typedef {Map<string, TreeEntry>} Tree by name from the root, such as `usr/bin/ls`
 */

/** As many as the kernel follows in one path. */
const MAX_LINKS = 40;

/**
 * Adds a file of the host to a tree, with every directory and every symbolic link on the way to
 * it: `/bin/sh` may be the link `bin` → `usr/bin`, the link `usr/bin/sh` → `dash` and a file.
 * @param {Tree} tree
 * @param {string} path absolute
 */
export function addHostFile(tree, path) {
  /** @type {string[]} */
  let here = [];
  let rest = components(path);
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "..") {
      here.pop();
      continue;
    }
    const place = [...here, name];
    const entry = hostEntry(place.join("/"));
    tree.set(place.join("/"), entry);
    if (entry.type === "symlink") {
      links++;
      if (links > MAX_LINKS) {
        throw new ScriptError(`${path} leads through more than ${MAX_LINKS} symbolic links`);
      }
      rest = [...components(entry.target), ...rest];
      here = entry.target.startsWith("/") ? [] : here;
    } else {
      here = place;
    }
  }
}

/**
 * @param {string} name
 * @returns {TreeEntry}
 */
function hostEntry(name) {
  const path = `/${name}`;
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) {
    return { type: "symlink", target: readlinkSync(path) };
  }
  if (stat.isDirectory()) {
    return { type: "directory" };
  }
  return {
    type: "file",
    mode: (stat.mode & 0o111) === 0 ? 0o644 : 0o755,
    content: readFileSync(path),
  };
}

/** @param {string} path */
function components(path) {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
