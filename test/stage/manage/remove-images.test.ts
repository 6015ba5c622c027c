import { readdirSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { StageError } from "../../../src/errors.js";
import { removalError, removeImages } from "../../../src/stage/manage/remove-images.js";
import { stageRootfs } from "../../../src/stage.js";
import { file } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const immovable = vi.hoisted(() => new Set<string>());

vi.mock("../../../src/host/remove-tree.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../../src/host/remove-tree.js")>();
  const removeTree: typeof original.removeTree = (root, path) => {
    for (const name of immovable) refuseWith(readdirSync(root, { recursive: true }), name);
    original.removeTree(root, path);
  };
  return { ...original, removeTree };
});

function refuseWith(names: readonly unknown[], name: string): void {
  if (!names.some((each) => String(each).endsWith(`/${name}`))) return;
  throw Object.assign(new Error("EPERM"), { code: "EPERM" });
}

beforeEach(() => immovable.clear());

async function cacheOfTwo() {
  const cacheDir = `${scratchDirectory()}/cache`;
  const staged = [];
  for (const name of ["one", "two"]) {
    const image = archiveFile([[file(name)]]);
    const { key, layers } = await stageRootfs(image, { cacheDir, lease: "none" });
    staged.push({ name, image, key, layer: layers[0]?.diffId.replace(":", "-") });
  }
  const [one, two] = staged;
  if (!(one && two)) throw new TypeError("two were staged");
  return { cacheDir, layout: new CacheLayout(cacheDir), one, two };
}

describe("a removal", () => {
  test("goes on past a word that names nothing", async () => {
    const { cacheDir, one, two } = await cacheOfTwo();
    const report = await removeImages({ cacheDir, images: [one.image, "nonsense", two.image] });
    expect(report.removed).toEqual([one.key, two.key]);
    expect(report.removedLayers).toHaveLength(2);
    expect(removalError(report)).toMatchObject({
      code: "NOT_FOUND",
      message: 'the cache has no image "nonsense"',
    });
  });

  test("goes on past what can't be deleted", async () => {
    const { cacheDir, layout, one, two } = await cacheOfTwo();
    immovable.add(one.name);
    const report = await removeImages({ cacheDir });
    immovable.clear();
    expect(new Set(report.removed)).toEqual(new Set([one.key, two.key]));
    expect(report.removedLayers).toEqual([two.layer]);
    expect(report.failures.map(({ name }) => name)).toEqual([one.key, one.layer]);
    expect(readdirSync(layout.entries)).toEqual([]);
    expect(removalError(report)).toBeInstanceOf(StageError);
    expect(removalError(report)).toMatchObject({
      code: "PERMISSION",
      message: expect.stringMatching(/not permitted, and 1 more$/),
    });
  });

  test("has no error where it did all", async () => {
    const { cacheDir } = await cacheOfTwo();
    const report = await removeImages({ cacheDir });
    expect(report).toMatchObject({ kept: [], failures: [] });
    expect(removalError(report)).toBeUndefined();
  });
});
