import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { leasesOn } from "../../../src/cache/leases/leases.js";
import type { Room } from "../../../src/host/disk-room.js";
import { checkRequest } from "../../../src/stage/request.js";
import type { StageResult } from "../../../src/stage/result.js";
import { roomMaker } from "../../../src/stage/room/make-room.js";
import { stageRootfs } from "../../../src/stage.js";
import { file } from "../../support/layers.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

/** A cache with two images, of which time passes by the given milliseconds before it is looked at. */
async function oldCache(passed: number) {
  const cacheDir = `${scratchDirectory()}/cache`;
  const archives = [archiveFile([[file("a", "a".repeat(5000))]]), archiveFile([[file("b", "b")]])];
  const staged: StageResult[] = [];
  for (const archive of archives)
    staged.push(await stageRootfs(archive, { cacheDir, lease: "none" }));
  const layout = new CacheLayout(cacheDir);
  for (const { key } of staged) expect(leasesOn(layout, key)).toEqual([]);
  const later = Date.now() + passed;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => later);
  onTestFinished(() => clock.mockRestore());
  const standing = () => staged.filter(({ rootfs }) => existsSync(rootfs)).length;
  return { cacheDir, staged, standing, archives };
}

const none = { bytes: 0, inodes: 0 };
const noLayers = () => [];
const hour = 3_600_000;

test("room is made when it is allowed, and only as much as is missing", async () => {
  const { cacheDir, standing, archives } = await oldCache(hour);
  const request = checkRequest(archives[0] ?? "", { cacheDir, gc: true });
  const { makeRoom, reclaimable } = roomMaker(request, noLayers);
  const { bytes, inodes } = reclaimable();
  expect([bytes > 5000, inodes > 2]).toEqual([true, true]);
  await makeRoom({ bytes: 5000, inodes: 0 }, none);
  expect(standing()).toBe(1);
});

test("what would not be enough is left alone, but for what is enough at least all goes", async () => {
  const { cacheDir, standing, archives } = await oldCache(hour);
  const request = checkRequest(archives[0] ?? "", { cacheDir, gc: true });
  const { makeRoom, reclaimable } = roomMaker(request, noLayers);
  const missing = { bytes: reclaimable().bytes + 1, inodes: 0 };
  await makeRoom(missing, missing);
  expect(standing()).toBe(2);
  await makeRoom(missing, { bytes: 5000, inodes: 0 });
  expect(standing()).toBe(0);
});

test("what was used just now can't make room", async () => {
  const { cacheDir, archives } = await oldCache(9 * 60_000);
  const { reclaimable } = roomMaker(checkRequest(archives[0] ?? "", { cacheDir }), noLayers);
  expect(reclaimable()).toEqual({ bytes: 0, inodes: 0 });
});

test("what the list of a warming has ready already can't make room, however long ago it was", async () => {
  const { cacheDir, staged, archives } = await oldCache(hour);
  const keys = staged.map(({ key }) => key);
  const request = checkRequest(archives[0] ?? "", { cacheDir, gc: true });
  const { reclaimable } = roomMaker({ ...request, keptKeys: () => keys }, noLayers);
  expect(reclaimable()).toEqual({ bytes: 0, inodes: 0 });
});

test("layers that the staging is about to use stay", async () => {
  const { cacheDir, staged, archives } = await oldCache(hour);
  const request = checkRequest(archives[0] ?? "", { cacheDir, gc: true });
  const names = (staged[0]?.layers ?? []).map(({ diffId }) => diffId.replace(":", "-"));
  const all = roomMaker(request, noLayers).reclaimable().bytes;
  expect(roomMaker(request, () => names).reclaimable().bytes).toBeLessThan(all - 5000);
});

test.each([
  [{}, "", 2],
  [{ gc: false }, "", 2],
  [{ gc: true }, "", 0],
  [{}, "auto_gc = true", 0],
  [{}, "auto_gc = false", 2],
  [{ gc: false }, "auto_gc = true", 2],
])("with %j and %j in the configuration, %d entries stay", async (options, line, left) => {
  const { cacheDir, standing, archives } = await oldCache(hour);
  const config = `${scratchDirectory()}/config.toml`;
  writeFileSync(config, `[cache]\n${line}\n`);
  const request = checkRequest(archives[0] ?? "", { cacheDir, config, ...options });
  const { makeRoom, reclaimable } = roomMaker(request, noLayers);
  await makeRoom(reclaimable(), none);
  expect(standing()).toBe(left);
});

describe("on a disk with no room for so much as a lock", () => {
  const mocked = vi.hoisted(() => ({ free: undefined as Room | undefined }));
  vi.mock("../../../src/host/disk-room.js", async (original) => {
    const actual = await original<typeof import("../../../src/host/disk-room.js")>();
    return { ...actual, freeRoom: (path: string) => mocked.free ?? actual.freeRoom(path) };
  });

  test.each([
    { free: { bytes: 0, inodes: 1000 }, gc: true, left: 0 },
    { free: { bytes: 1e9, inodes: 0 }, gc: true, left: 0 },
    { free: { bytes: 1e9, inodes: 1000 }, gc: true, left: 2 },
    { free: { bytes: 0, inodes: 0 }, gc: false, left: 2 },
  ])("with $free, gc: $gc, $left of 2 images stay", async ({ free, gc, left }) => {
    const { cacheDir, standing, archives } = await oldCache(hour);
    mocked.free = free;
    onTestFinished(() => {
      mocked.free = undefined;
    });
    const request = checkRequest(archives[0] ?? "", { cacheDir, gc });
    await roomMaker(request, noLayers).makeFirstRoom();
    expect(standing()).toBe(left);
  });
});
