// @ts-check
/** The programs of the demo image: this machine's own, with the shared libraries they load. */
import { realpathSync } from "node:fs";
import { machinePath, probe, which } from "../lib/run.mjs";
import { ScriptError } from "../lib/script.mjs";
import { addHostFile } from "./host-tree.mjs";

/** Programs that POSIX promises; `sh` because the demo is a script, `sleep` to try signals on. */
const PROGRAMS = ["sh", "cat", "df", "id", "ls", "sleep", "touch", "uname"];

/** `/bin` first, so that a link from there to `/usr/bin` becomes part of the image. */
const STANDARD = ["/bin", "/usr/bin"];

/** The image's search path. */
export const IMAGE_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * @returns {import("./host-tree.mjs").Tree}
 */
export function hostPrograms() {
  /** @type {import("./host-tree.mjs").Tree} */
  const tree = new Map();
  for (const name of PROGRAMS) {
    const path = which(name, [...STANDARD, ...machinePath()]);
    if (path === undefined) {
      throw new ScriptError(`${name} is not on PATH: the demo image is made from it; install it`);
    }
    addProgram(tree, name, path);
  }
  return tree;
}

/**
 * @param {import("./host-tree.mjs").Tree} tree
 * @param {string} name
 * @param {string} path
 */
function addProgram(tree, name, path) {
  if (STANDARD.some((directory) => path === `${directory}/${name}`)) {
    addHostFile(tree, path);
  } else {
    // Where programs live elsewhere (NixOS, Guix), the image's search path gets a link to each.
    const real = realpathSync(path);
    addHostFile(tree, real);
    tree.set("usr", { type: "directory" });
    tree.set("usr/bin", { type: "directory" });
    tree.set(`usr/bin/${name}`, { type: "symlink", target: real });
  }
  for (const library of sharedLibraries(path)) {
    addHostFile(tree, library);
  }
}

/**
 * The shared libraries that a program loads, the dynamic loader among them, as the loader names
 * them; none for a static program.
 * @param {string} program
 */
function sharedLibraries(program) {
  // What the calling shell preloads or prefers is not found in the image later on.
  const { LD_PRELOAD: _preload, LD_LIBRARY_PATH: _path, ...env } = process.env;
  const { stdout } = probe(["ldd", program], { env: { ...env, LC_ALL: "C" } });
  return [...stdout.matchAll(/(\/\S+) \(0x[0-9a-f]+\)$/gm)].flatMap((match) => match[1] ?? []);
}
