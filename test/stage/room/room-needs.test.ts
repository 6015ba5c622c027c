import { describe, expect, test } from "vitest";
import { assemblyNeed, blobNeed, layerNeed } from "../../../src/stage/room/room-needs.js";

const disk = { name: "other" };
const gibibyte = 1024 ** 3;

describe("layerNeed", () => {
  test("at the least is what the archive holds, a tenth of it for headers", () => {
    const { least, likely } = layerNeed({ stored: gibibyte, content: 3 * gibibyte }, disk);
    expect(least.bytes).toBeCloseTo(2.7 * gibibyte);
    expect(likely.bytes).toBeGreaterThan(3 * gibibyte);
    expect(likely.bytes).toBeLessThan(3.3 * gibibyte);
  });

  test("of a compressed layer that nobody has looked at is at least what is stored", () => {
    const { least, likely } = layerNeed({ stored: gibibyte }, disk);
    expect(least.bytes).toBeCloseTo(0.9 * gibibyte);
    expect(likely.bytes).toBeGreaterThan(2.5 * gibibyte);
  });

  test("counts inodes for a few large files at the least, for a system's files as likely", () => {
    const { least, likely } = layerNeed({ stored: gibibyte, content: 4 * gibibyte }, disk);
    expect(least.inodes).toBeLessThanOrEqual(1024);
    expect(least.inodes).toBeGreaterThan(0);
    expect(likely.inodes).toBe((4 * gibibyte) / 32 / 1024);
    expect(layerNeed({ stored: 1024, content: 1024 }, disk).least.inodes).toBe(1);
    expect(layerNeed({ stored: 0, content: 0 }, disk).least).toEqual({ bytes: 0, inodes: 0 });
  });

  test("on a disk that compresses is less", () => {
    const layer = { stored: gibibyte, content: 3 * gibibyte };
    const { least } = layerNeed(layer, { name: "btrfs", mayCompress: true });
    expect(least.bytes).toBeLessThan(gibibyte);
    expect(least.bytes).toBeGreaterThan(gibibyte / 2);
  });
});

describe("assemblyNeed", () => {
  const needs = [layerNeed({ stored: gibibyte, content: gibibyte }, disk)];

  test("is for directories, a block and an inode each", () => {
    const { least, likely } = assemblyNeed({ needs: [], entries: 10_000 }, disk);
    expect(least).toEqual({ bytes: 100 * 4096, inodes: 100 });
    expect(likely).toEqual({ bytes: 1000 * 4096, inodes: 1000 });
  });

  test("is for every name where links take inodes", () => {
    const memory = { name: "tmpfs", linksTakeInodes: true };
    const { least, likely } = assemblyNeed({ needs, entries: 100 }, memory);
    expect(likely.inodes).toBe(100 + gibibyte / 32 / 1024);
    expect(least.inodes).toBeGreaterThan(50);
    expect(least.inodes).toBeLessThan(300);
  });
});

describe("blobNeed", () => {
  const blob = (stored: number, least: number) => {
    return {
      stored,
      tree: { least: { bytes: least, inodes: 0 }, likely: { bytes: 0, inodes: 0 } },
    };
  };

  test("of none is none", () => {
    expect(blobNeed([]).likely).toEqual({ bytes: 0, inodes: 0 });
  });

  test("is at least the smallest, and likely all of them", () => {
    const { least, likely } = blobNeed([blob(30, 100), blob(10, 100)]);
    expect(least.bytes).toBe(10);
    expect(likely.bytes).toBe(40);
  });

  test("is at least what the largest takes beyond all trees", () => {
    expect(blobNeed([blob(100, 100), blob(10, 10)]).least.bytes).toBe(90);
  });
});
