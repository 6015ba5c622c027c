import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { collectGarbage } from "../../../src/stage/gc/collect-garbage.js";
import { keepInBounds } from "../../../src/stage/gc/keep-in-bounds.js";
import { stageRootfs } from "../../../src/stage.js";
import { ownedName } from "../../support/identities.js";
import { file } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

/** A cache with two images of the same size. */
async function cacheOfTwo() {
  const cacheDir = `${scratchDirectory()}/cache`;
  const rootfs: string[] = [];
  for (const name of ["a", "b"]) {
    const archive = archiveFile([[file(name, name.repeat(50_000))]]);
    rootfs.push((await stageRootfs(archive, { cacheDir, lease: "none" })).rootfs);
  }
  const { size } = await collectGarbage({ cacheDir, config: "/dev/null", dryRun: true });
  const configFile = `${scratchDirectory()}/c.toml`;
  const keep = async (...lines: readonly string[]) => {
    writeFileSync(configFile, ["[cache]", ...lines].join("\n"));
    return await keepInBounds({ cacheDir, config: configFile, minAge: 0 });
  };
  const standing = () => rootfs.filter((path) => existsSync(path)).length;
  return { keep, standing, size: size.bytes, layout: new CacheLayout(cacheDir) };
}

test("a cache below its high watermark stays as it is, and so does one that has none", async () => {
  const { keep, standing, size } = await cacheOfTwo();
  expect(await keep(`high_watermark = ${size}`, "low_watermark = 0")).toBeUndefined();
  expect(await keep("max_size = 0")).toBeUndefined();
  expect(await keep("high_watermark = '100%'")).toBeUndefined();
  expect(standing()).toBe(2);
});

test("a cache above its high watermark shrinks to the low one", async () => {
  const { keep, standing, size } = await cacheOfTwo();
  const report = await keep(`high_watermark = ${size - 1}`, `low_watermark = ${size / 2}`);
  expect(report).toMatchObject({ entries: [{ reason: "max-size" }], unmet: [] });
  expect(standing()).toBe(1);
});

test("the low watermark is a little below the high one, unless it is said", async () => {
  const { keep, standing, size } = await cacheOfTwo();
  const report = await keep(`high_watermark = ${size - 1}`);
  expect(report?.size.bytes).toBeLessThan(0.9 * size);
  expect(standing()).toBe(1);
});

test("where somebody else clears up, that is enough", async () => {
  const { keep, standing, layout } = await cacheOfTwo();
  const lock = layout.lock("gc");
  mkdirSync(lock);
  writeFileSync(`${lock}/${ownedName(ownIdentity())}`, "");
  expect(await keep("high_watermark = 0")).toBeUndefined();
  expect(standing()).toBe(2);
});
