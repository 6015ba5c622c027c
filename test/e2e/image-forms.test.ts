import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, onTestFinished } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv, stageRootfsArgv } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { asStaged } from "./support/expected-tree.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { contents, leftovers, type Staged, stage, stagedBy } from "./support/staged.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";
import type { UserKind } from "./support/users.js";

const imageTest = testNeeding([...debianImageNeeds, "tar", "zstd"]);

/** The differences between a staged rootfs and what umoci makes of the image, but for mount points. */
async function differences(staged: Staged, kind: UserKind): Promise<string[]> {
  const { faithfulTree } = await debianImage();
  const made = new Set(
    staged.mountPoints.filter(({ created }) => created).map(({ path }) => path.slice(1)),
  );
  return diffTrees(asStaged(faithfulTree(), kind), describeTree(staged.rootfs), {
    names: ["umoci's tree", "ours"],
    ignorePaths: (path) => made.has(path),
  });
}

describe.each(["ordinary", "root"] as const)("as %s user", (kind) => {
  const forms = [
    "dockerArchive",
    "dockerArchiveGzip",
    "ociArchive",
    "ociLayoutGzip",
    "ociLayoutZstd",
    "ociLayoutPlain",
  ] as const;

  imageTest.for(forms)("%s gives the tree that umoci unpacks", async (form) => {
    const image = await debianImage();
    const cacheDir = freshCacheDir(kind);
    const staged = await stage(["--cache-dir", cacheDir, image.forms[form]], { as: kind });
    expect(staged).toMatchObject({ imageId: image.imageId, hit: false });
    expect(staged.layers.map(({ diffId }) => diffId)).toEqual(image.diffIds);
    expect(staged.key).toContain(image.imageId.slice("sha256:".length));
    expect(await differences(staged, kind)).toEqual([]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  imageTest("all forms share one entry and its layers", async () => {
    const image = await debianImage();
    const cacheDir = freshCacheDir(kind);
    const first = await stage(["--cache-dir", cacheDir, image.forms.ociLayoutGzip], { as: kind });
    const exploded = await explodedArchive(image.forms.dockerArchive);
    const zstd = `${exploded}.tar.zst`;
    await execa("zstd", ["-q", "-1", image.forms.dockerArchive, "-o", zstd]);
    for (const reference of [
      ...Object.values(image.forms),
      exploded,
      zstd,
      `oci:${image.forms.ociLayoutPlain}:${image.tag}`,
      `oci-archive:${image.forms.ociArchive}`,
      `docker-archive:${image.forms.dockerArchive}:example/debian:${image.tag}`,
    ]) {
      const again = await stage(["--cache-dir", cacheDir, reference], { as: kind });
      expect(again).toMatchObject({ rootfs: first.rootfs, hit: true, bytes: { written: 0 } });
    }
    expect(contents(cacheDir).entries).toEqual([first.key]);
    expect(contents(cacheDir).layers).toHaveLength(new Set(image.diffIds).size);
  });

  imageTest("an archive on standard input is an image like any other", async () => {
    const { forms, imageId } = await debianImage();
    const cacheDir = freshCacheDir(kind);
    const shell = ["sh", "-c", 'cat "$1" | "$2" "$3" --json --cache-dir "$4" -', "sh"] as const;
    const [node, program = ""] = stageRootfsArgv([]);
    const run = await runArgv([...shell, forms.ociArchive, node, program, cacheDir], { as: kind });
    expect(stagedBy(run)).toMatchObject({ imageId, hit: false });
    expect(leftovers(cacheDir)).toEqual([]);
  });
});

/** A docker-archive as a directory, in a scratch directory of the running test. */
async function explodedArchive(archive: string): Promise<string> {
  const scratch = makeScratchDir("exploded", { mode: 0o755 });
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const path = join(scratch, "image");
  mkdirSync(path, { mode: 0o755 });
  await execa("tar", ["-xf", archive, "-C", path]);
  return path;
}
