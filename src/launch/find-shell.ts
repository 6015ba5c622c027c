import { lstatSync } from "node:fs";
import { errnoOf, StageError } from "../errors.js";
import { bytesOfText } from "../host/byte-string.js";
import { join, RootedTree } from "../host/rooted-tree.js";
import { environmentOf } from "./environment.js";
import type { LaunchConfig } from "./plan.js";

/** In the order in which they are liked. */
const shells: readonly (readonly [program: string, ...words: string[]])[] = [
  ["bash"],
  ["sh"],
  ["busybox", "sh"],
];

/**
 * The command line of a shell that a rootfs has: in /bin, else, as with Nix, where the image's own
 * PATH leads. Links are followed as in the sandbox, never out of the rootfs.
 * @throws StageError SANDBOX where there is none
 */
export function findShell({
  rootfs,
  config,
}: {
  readonly rootfs: string;
  readonly config: LaunchConfig;
}): readonly string[] {
  const { PATH = "" } = environmentOf(config);
  const directories = PATH.split(":").filter((directory) => directory.startsWith("/"));
  const isThere = programsOf(rootfs);
  for (const place of [["/bin"], directories]) {
    for (const [program, ...words] of shells) {
      const path = place.map((directory) => join(directory, program)).find(isThere);
      if (path !== undefined) return [path, ...words];
    }
  }
  throw new StageError("SANDBOX", "the image has no shell: no bash, sh or busybox", {
    hint: "run one of its own programs: stage-rootfs run IMAGE -- CMD",
  });
}

function programsOf(rootfs: string): (path: string) => boolean {
  const tree = new RootedTree(rootfs);
  return (path) => {
    try {
      const found = lstatSync(tree.at(tree.resolveLinks(bytesOfText(path.slice(1)))));
      return found.isFile() && (found.mode & 0o111) !== 0;
    } catch (error) {
      // A loop of links, a file in the place of a directory, or one that this user can't enter.
      if (error instanceof StageError || errnoOf(error) !== undefined) return false;
      throw error;
    }
  };
}
