import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { listCache } from "../../../src/stage/list-cache.js";
import { verifyCache } from "../../../src/stage/verify/verify.js";
import { stageRootfs } from "../../../src/stage.js";
import { file } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

async function staged() {
  const cacheDir = `${scratchDirectory()}/cache`;
  const image = archiveFile([[file("a")], [file("b")]]);
  const { key, layers } = await stageRootfs(image, { cacheDir, lease: "none" });
  const layout = new CacheLayout(cacheDir);
  const layer = layout.layer(layers[0]?.diffId.replace(":", "-") ?? "");
  return { cacheDir, image, key, layer, entry: layout.entry(key) };
}

type Staged = Awaited<ReturnType<typeof staged>>;

const records: readonly [what: string, path: (cache: Staged) => string][] = [
  ["entry.json", ({ entry }) => `${entry}/entry.json`],
  ["layer.json", ({ layer }) => `${layer}/layer.json`],
  ["a listing", ({ layer }) => `${layer}/listing`],
  ["a list of digests", ({ layer }) => `${layer}/digests`],
];

const obstacles: readonly [what: string, put: (path: string) => void][] = [
  ["a directory", (path) => mkdirSync(`${path}/x`, { recursive: true })],
  ["a fifo", (path) => execFileSync("mkfifo", [path])],
  ["a link to an endless device", (path) => symlinkSync("/dev/zero", path)],
  ["a link to itself", (path) => symlinkSync(path, path)],
  // Its first page is never there, so reading is an input/output error.
  ["a bad sector", (path) => symlinkSync("/proc/self/mem", path)],
];

test.each(
  records.flatMap(([what, path]) => obstacles.map(([why, put]) => ({ what, path, why, put }))),
)(
  "$why in place of $what is found, and repaired by making all of it anew",
  async ({ path, put }) => {
    const cache = await staged();
    rmSync(path(cache));
    put(path(cache));
    const { cacheDir, image } = cache;
    expect(listCache({ cacheDir }).entries.length).toBeLessThan(2);
    const { intact, findings } = await verifyCache({ cacheDir, all: true });
    expect(intact).toBe(false);
    expect(findings.map(({ code }) => code)).toContain("RECORD");
    expect(await verifyCache({ cacheDir, all: true, repair: true })).toMatchObject({
      repaired: true,
    });
    await stageRootfs(image, { cacheDir, lease: "none" });
    expect(await verifyCache({ cacheDir, all: true })).toMatchObject({ intact: true });
  },
);

test.each(
  records
    .slice(0, 2)
    .flatMap(([what, path]) => obstacles.map(([why, put]) => ({ what, path, why, put }))),
)("$why in place of $what makes way when the image is staged again", async ({ path, put }) => {
  const cache = await staged();
  rmSync(path(cache));
  put(path(cache));
  const { cacheDir, image, entry } = cache;
  // An entry that stands needs no layer.
  rmSync(`${entry}/entry.json`, { recursive: true, force: true });
  if (path(cache).startsWith(entry)) put(path(cache));
  await stageRootfs(image, { cacheDir, lease: "none" });
  expect(await verifyCache({ cacheDir, all: true })).toMatchObject({ intact: true });
});
