import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { collectGarbage } from "../../../src/stage/gc/collect-garbage.js";
import { listCache } from "../../../src/stage/manage/list-cache.js";
import { verifyCache } from "../../../src/stage/verify/verify.js";
import { stageRootfs } from "../../../src/stage.js";
import { asUser } from "../../support/as-user.js";
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

describe.runIf(process.geteuid?.() === 0)("a directory that its own user can't enter", () => {
  test.each<[string, (cache: Staged) => string]>([
    ["of an entry", ({ entry }) => entry],
    ["of a layer", ({ layer }) => layer],
  ])("%s keeps nobody from the rest, is found, and goes by repair", async (_, path) => {
    const cache = await staged();
    const { cacheDir, image } = cache;
    chmodSync(path(cache), 0);
    execFileSync("chown", ["-R", "65534:65534", dirname(cacheDir), image]);
    await asUser([dirname(image)], async () => {
      expect(listCache({ cacheDir }).exists).toBe(true);
      await collectGarbage({ cacheDir });
      const all = { cacheDir, all: true };
      expect(await verifyCache(all)).toMatchObject({ intact: false });
      expect(await verifyCache({ ...all, repair: true })).toMatchObject({ repaired: true });
      await stageRootfs(image, { cacheDir, lease: "none" });
      expect(await verifyCache(all)).toMatchObject({ intact: true });
    });
  });

  test("of a lock keeps no other image from being staged", async () => {
    const { cacheDir, image } = await staged();
    const lock = new CacheLayout(cacheDir).lock("rootfs-sha256-other");
    mkdirSync(lock);
    chmodSync(lock, 0);
    execFileSync("chown", ["-R", "65534:65534", dirname(cacheDir), image]);
    const another = archiveFile([[file("c")]]);
    await asUser([dirname(another), another, dirname(image)], async () => {
      expect(await stageRootfs(another, { cacheDir, lease: "none" })).toMatchObject({ hit: false });
      await collectGarbage({ cacheDir });
    });
  });
});
