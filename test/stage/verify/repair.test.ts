import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { StageError } from "../../../src/errors.js";
import { verifyCache } from "../../../src/stage/verify/verify.js";
import { stageRootfs } from "../../../src/stage.js";
import { file } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const immovable = vi.hoisted(() => new Set<string>());

vi.mock("../../../src/cache/removal/remove-entry.js", async (importOriginal) => {
  const original =
    await importOriginal<typeof import("../../../src/cache/removal/remove-entry.js")>();
  const removeEntry: typeof original.removeEntry = async (layout, key, options) => {
    refuse(key);
    return await original.removeEntry(layout, key, options);
  };
  return { ...original, removeEntry };
});

vi.mock("../../../src/cache/removal/remove-layer.js", async (importOriginal) => {
  const original =
    await importOriginal<typeof import("../../../src/cache/removal/remove-layer.js")>();
  const removeLayer: typeof original.removeLayer = async (layout, name, options) => {
    refuse(name);
    return await original.removeLayer(layout, name, options);
  };
  return { ...original, removeLayer };
});

function refuse(name: string): void {
  if (immovable.has(name)) throw new StageError("PERMISSION", `cannot remove ${name}: no`);
}

beforeEach(() => immovable.clear());

async function damagedCache() {
  const cacheDir = `${scratchDirectory()}/cache`;
  const layout = new CacheLayout(cacheDir);
  const images = [];
  for (const name of ["one", "two"]) {
    const image = archiveFile([[file(name)]]);
    const { key, layers, rootfs } = await stageRootfs(image, { cacheDir, lease: "none" });
    writeFileSync(`${rootfs}/${name}`, "damage");
    images.push({ key, layer: layers[0]?.diffId.replace(":", "-") ?? "" });
  }
  const repair = () => verifyCache({ cacheDir, all: true, repair: true });
  return { layout, images: images.sort((a, b) => (a.key < b.key ? -1 : 1)), repair };
}

describe("a repair that meets something that can't be removed", () => {
  test("goes on with the other entries, and says which one it was", async () => {
    const { images, repair } = await damagedCache();
    const [stuck, other] = images.map(({ key }) => key);
    immovable.add(stuck ?? "");
    const found = await repair();
    expect(found.repaired).toBe(false);
    expect(found.entries).toMatchObject([
      { key: stuck, repair: "stuck" },
      { key: other, repair: "restaged" },
    ]);
    expect(found.failures).toEqual([
      { in: "rootfs", name: stuck, message: `cannot remove ${stuck}: no` },
    ]);
  });

  test("makes nothing new of a layer that stays damaged", async () => {
    const { images, layout, repair } = await damagedCache();
    const [broken, other] = images;
    immovable.add(broken?.layer ?? "");
    const found = await repair();
    expect(found.entries).toMatchObject([
      { key: broken?.key, repair: "dropped" },
      { key: other?.key, repair: "restaged" },
    ]);
    expect(found.failures).toMatchObject([{ in: "layer", name: broken?.layer }]);
    expect(existsSync(layout.entry(broken?.key ?? ""))).toBe(false);
  });
});

test("a repair unlinks links in the place of entries and layers, and follows none", async () => {
  const { layout, images, repair } = await damagedCache();
  const elsewhere = scratchDirectory();
  for (const name of ["rootfs", "keep"]) mkdirSync(`${elsewhere}/${name}`);
  writeFileSync(`${elsewhere}/entry.json`, "{}");
  for (const name of ["to-directory", "to-nothing"]) {
    const target = name === "to-nothing" ? "/nowhere" : elsewhere;
    symlinkSync(target, layout.entry(name));
  }
  const found = await repair();
  expect(found).toMatchObject({ repaired: true, failures: [] });
  expect(readdirSync(layout.entries).sort()).toEqual(images.map(({ key }) => key));
  expect(readdirSync(elsewhere).sort()).toEqual(["entry.json", "keep", "rootfs"]);
});
