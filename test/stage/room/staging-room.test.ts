import { readdirSync, truncateSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Reservations } from "../../../src/cache/place/reservations.js";
import type { StageError } from "../../../src/errors.js";
import { addProgress } from "../../../src/extract/unpack-progress.js";
import * as disk from "../../../src/host/disk-room.js";
import type { ImageSummary, Layer } from "../../../src/oci/image.js";
import { checkRequest } from "../../../src/stage/request.js";
import { StagingRoom, type StagingRoomOptions } from "../../../src/stage/room/staging-room.js";
import { emptyCache } from "../../support/cache.js";
import { sha256 } from "../../support/layers.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

vi.mock("../../../src/host/disk-room.js", { spy: true });

const mebibyte = 1024 ** 2;
const plenty = { bytes: 2 ** 40, inodes: 2 ** 30 };

beforeEach(() => {
  vi.mocked(disk.freeRoom).mockReset().mockReturnValue(plenty);
});

function has(room: disk.Room): void {
  vi.mocked(disk.freeRoom).mockReturnValue(room);
}

/** Layers of such lengths, stored plain in sparse files. */
function layersOf(...sizes: readonly number[]): Layer[] {
  return sizes.map((size, i) => {
    const path = `${scratchDirectory()}/layer`;
    writeFileSync(path, "");
    truncateSync(path, size);
    const diffId = sha256(Buffer.from(`layer ${i}`));
    return { diffId, digest: null, size, span: { path, offset: 0, size } };
  });
}

/** An image of layers, and the room for it in an empty cache. */
function roomFor(layers: readonly Layer[], options: Partial<StagingRoomOptions> = {}) {
  const { directory, layout } = emptyCache();
  const request = checkRequest("/image.tar", { cacheDir: directory });
  const onShortage = vi.fn<(error: unknown) => void>();
  const room = new StagingRoom(request, { isMissing: () => true, onShortage, ...options });
  onTestFinished(() => room.close());
  const image: ImageSummary = {
    imageId: sha256(Buffer.from("image")),
    manifestDigest: null,
    platform: "linux/amd64",
    layers,
  };
  const reserved = () => readdirSync(`${directory}/v1/tmp`);
  return { room, image, layout, onShortage, reserved };
}

function refusalOf(promise: Promise<unknown>): Promise<StageError> {
  return rejection(promise);
}

describe("before anything is unpacked", () => {
  test("what is missing is reserved, and given up in the end", async () => {
    const layers = layersOf(10 * mebibyte, 20 * mebibyte);
    const { room, image, layout, reserved } = roomFor(layers);
    await room.admit(image);
    const seen = new Reservations(layout).ofOthers().map((each) => each.room.bytes);
    // Of what is 0.99 as long at the least, a tenth may be headers.
    const expected = [10, 20].map((size) => Math.ceil(Math.floor(size * mebibyte * 0.99) * 0.9));
    expect(seen).toEqual(expect.arrayContaining(expected));
    room.finished(layers[0]?.diffId ?? image.imageId, { entries: 5 });
    expect(reserved()).toHaveLength(seen.length - 1);
    room.close();
    expect(reserved()).toEqual([]);
  });

  test("what the cache has takes no room", async () => {
    const { room, image } = roomFor(layersOf(10 * mebibyte), { isMissing: () => false });
    has({ bytes: mebibyte, inodes: 10 });
    await room.admit(image);
  });

  test.each([
    [{ bytes: 4 * mebibyte, inodes: 1000 }, /needs 4\.91 MiB more on .* which has 4\.00 MiB left$/],
    [{ bytes: 2 ** 40, inodes: 1 }, /needs 3 more inodes on .* which has 1 inodes left$/],
    [
      { bytes: 0, inodes: 0 },
      /needs 8\.91 MiB more and 4 more inodes on .* 0 B and 0 inodes left$/,
    ],
  ])("less than the least is refused: %j", async (free, message) => {
    const { room, image } = roomFor(layersOf(10 * mebibyte));
    has(free);
    const error = await refusalOf(room.admit(image));
    expect(error).toMatchObject({ code: "NO_SPACE", hint: expect.stringContaining("--cache-dir") });
    expect(error.message).toMatch(/^no room for \/image\.tar: it /);
    expect(error.message).toMatch(message);
  });

  test("what others have reserved before is theirs, and said", async () => {
    const { room, image, layout } = roomFor(layersOf(10 * mebibyte));
    vi.useFakeTimers({ now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    await room.admit(image);
    vi.setSystemTime(Date.now() + 1000);
    const other = new Reservations(layout);
    other.set([["something else", { bytes: 50 * mebibyte, inodes: 1 }]]);
    const request = checkRequest("/late.tar", { cacheDir: layout.tmp.replace("/v1/tmp", "") });
    const late = new StagingRoom(request, { isMissing: () => true, onShortage: () => undefined });
    onTestFinished(() => late.close());
    vi.setSystemTime(Date.now() + 1000);
    has({ bytes: 55 * mebibyte, inodes: 1000 });
    const refused = refusalOf(late.admit(image));
    await vi.runAllTimersAsync();
    expect((await refused).message).toMatch(
      /needs 3\.91 MiB more on .*, which has 55\.0 MiB left, 50\.0 MiB of them reserved by other/,
    );
    await room.admit(image);
  });

  test("what others are about to finish is looked at again", async () => {
    const { layout, image } = roomFor(layersOf(10 * mebibyte));
    const other = new Reservations(layout);
    other.set([["something else", { bytes: 50 * mebibyte, inodes: 1 }]]);
    vi.useFakeTimers({ now: Date.now() + 1000 });
    onTestFinished(() => void vi.useRealTimers());
    const request = checkRequest("/late.tar", { cacheDir: layout.tmp.replace("/v1/tmp", "") });
    const late = new StagingRoom(request, { isMissing: () => true, onShortage: () => undefined });
    onTestFinished(() => late.close());
    has({ bytes: 15 * mebibyte, inodes: 1000 });
    const admitted = late.admit(image);
    other.set([["something else", { bytes: 2 * mebibyte, inodes: 1 }]]);
    await vi.runAllTimersAsync();
    await admitted;
  });

  test("room is made for what is likely, and only the least is demanded", async () => {
    const makeRoom = vi.fn(async () => undefined);
    const reclaimable = () => ({ bytes: 3 * mebibyte, inodes: 7 });
    const { room, image } = roomFor(layersOf(10 * mebibyte), { maker: { makeRoom, reclaimable } });
    has({ bytes: 10 * mebibyte, inodes: 1000 });
    await room.admit(image);
    expect(makeRoom).toHaveBeenCalledOnce();
    expect(makeRoom).toHaveBeenCalledWith(
      { bytes: expect.any(Number), inodes: 0 },
      { bytes: 0, inodes: 0 },
    );
    has({ bytes: 1000, inodes: 1000 });
    const error = await refusalOf(room.admit(image));
    expect(error.hint).toMatch(/^stage-rootfs gc could free 3\.00 MiB and 7 inodes; or choose/);
  });

  test("what was made room for is there", async () => {
    const makeRoom = async () => has(plenty);
    const { room, image } = roomFor(layersOf(10 * mebibyte), { maker: { makeRoom } });
    has({ bytes: 0, inodes: 0 });
    await room.admit(image);
  });
});

describe("under way", () => {
  test("what is left to do is compared with what is left of the disk", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const layers = layersOf(100 * mebibyte);
    const [layer] = layers;
    if (!layer) return;
    const { room, image, layout, onShortage } = roomFor(layers);
    await room.admit(image);
    const progress = await room.begin(layer.diffId, layers);
    addProgress(progress, { stored: 60 * mebibyte, content: 60 * mebibyte });
    has({ bytes: 37 * mebibyte, inodes: 1000 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(onShortage).not.toHaveBeenCalled();
    const reserved = new Reservations(layout).ofOthers().map((each) => each.room.bytes);
    expect(Math.max(...reserved)).toBe(36 * mebibyte);
    has({ bytes: 35 * mebibyte, inodes: 1000 });
    await vi.advanceTimersByTimeAsync(1000);
    expect(onShortage).toHaveBeenCalledOnce();
    expect(onShortage).toHaveBeenCalledWith(expect.objectContaining({ code: "NO_SPACE" }));
  });

  test("what turns out longer than it looked is noticed", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const layers = layersOf(100 * mebibyte);
    const [layer] = layers;
    if (!layer) return;
    const { room, image, onShortage } = roomFor(layers);
    await room.admit(image);
    const progress = await room.begin(layer.diffId, layers);
    has({ bytes: 80 * mebibyte, inodes: 1000 });
    addProgress(progress, { stored: 10 * mebibyte, content: 80 * mebibyte });
    await vi.advanceTimersByTimeAsync(300);
    expect(onShortage).toHaveBeenCalledOnce();
  });

  test("a closed one neither looks nor reserves", async () => {
    const layers = layersOf(100 * mebibyte);
    const { room, image, reserved } = roomFor(layers);
    room.close();
    has({ bytes: 0, inodes: 0 });
    await room.admit(image);
    await room.begin(layers[0]?.diffId ?? image.imageId, layers);
    expect(reserved()).toEqual([]);
  });
});
