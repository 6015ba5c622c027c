import { expect, test } from "vitest";
import { mountedNames } from "../../src/host/mounted-names.js";

/** Lines of a mountinfo file: device, directory of the file system, mount point. */
function mounts(...lines: readonly (readonly [string, string, string])[]): () => string {
  return () =>
    lines.map(([dev, root, at], i) => `${i} 1 ${dev} ${root} ${at} rw - ext4 /dev/x rw\n`).join("");
}

const root = ["8:1", "/", "/"] as const;

test.each([
  ["nothing else", [root], ["/scratch/cache"]],
  ["its own disk", [root, ["8:2", "/", "/scratch"]], ["/scratch/cache"]],
  ["a bind of it", [root, ["8:1", "/scratch/cache", "/b"]], ["/scratch/cache", "/b"]],
  ["a bind above it", [root, ["8:1", "/scratch", "/a\\040b"]], ["/scratch/cache", "/a b/cache"]],
  ["a bind of the root", [root, ["8:1", "/", "/all"]], ["/scratch/cache", "/all/scratch/cache"]],
  ["a bind from within", [root, ["8:1", "/scratch/cache/v1", "/v"]], ["/scratch/cache", "/v"]],
  ["a bind beside it", [root, ["8:1", "/scratch/cache2", "/v"]], ["/scratch/cache"]],
  ["another disk", [root, ["8:9", "/scratch", "/v"]], ["/scratch/cache"]],
  [
    "a disk that is mounted twice",
    [root, ["8:2", "/data", "/scratch"], ["8:2", "/", "/disk"]],
    ["/scratch/cache", "/disk/data/cache"],
  ],
] as const)("a directory has, with %s, these names", (_, lines, names) => {
  expect(mountedNames("/scratch/cache", mounts(...lines))).toEqual(names);
});

test("a directory has its own name where mounts can't be told", () => {
  expect(mountedNames("/scratch/cache", () => "")).toEqual(["/scratch/cache"]);
});
