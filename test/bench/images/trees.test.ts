import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { contentSource } from "../../../bench/images/content.mjs";
import { systemFileSize } from "../../../bench/images/file-sizes.mjs";
import { between, seededRandom } from "../../../bench/images/random.mjs";
import { type Entry, largeFiles, smallFiles, systemPart } from "../../../bench/images/trees.mjs";

const MIB = 1024 * 1024;

const trees: readonly (readonly [string, (seed: number) => Iterable<Entry>])[] = [
  [
    "small files",
    (seed) => smallFiles({ directory: "a/b", files: 250, sizes: { from: 0, to: 9 }, seed }),
  ],
  [
    "large files",
    (seed) => largeFiles({ directory: "a", bytes: 5 * MIB, fileSize: 2 * MIB, seed }),
  ],
  ["a part of a system", (seed) => systemPart({ directory: "a", bytes: 5 * MIB, seed })],
];

function digestOf(entries: Iterable<Entry>): string {
  const hash = createHash("sha256");
  for (const entry of entries) {
    hash.update(JSON.stringify({ ...entry, content: undefined }));
    if (entry.type === "file") hash.update(entry.content);
  }
  return hash.digest("hex");
}

describe.each(trees)("%s", (_, tree) => {
  test("are the same for the same seed, and others for another", () => {
    expect(digestOf(tree(1))).toBe(digestOf(tree(1)));
    expect(digestOf(tree(1))).not.toBe(digestOf(tree(2)));
  });

  test("have no name twice, and every directory before what is in it", () => {
    const seen = new Set<string>(["a"]);
    for (const { name, type } of tree(1)) {
      if (name !== "a") expect(seen).toContain(name.slice(0, name.lastIndexOf("/")));
      expect(seen.has(name) && name !== "a").toBe(false);
      if (type === "directory") seen.add(name);
    }
  });
});

test.each([
  [
    "small files",
    smallFiles({ directory: "a", files: 250, sizes: { from: 7, to: 7 }, seed: 1 }),
    1750,
  ],
  [
    "large files",
    largeFiles({ directory: "a", bytes: 5 * MIB, fileSize: 2 * MIB, seed: 1 }),
    5 * MIB,
  ],
  ["a part of a system", systemPart({ directory: "a", bytes: 5 * MIB, seed: 1 }), 5 * MIB],
])("%s come to the size that was asked for", (_, tree, size) => {
  let sum = 0;
  for (const entry of tree) sum += entry.type === "file" ? entry.content.length : 0;
  expect(sum).toBe(size);
});

test("content is as compressible as Debian's packages are", () => {
  const content = contentSource(1)(2 * MIB);
  const ratio = content.length / gzipSync(content).length;
  expect(ratio).toBeGreaterThan(2.5);
  expect(ratio).toBeLessThan(2.9);
});

describe("sizes of a system's files", () => {
  test.each([
    [0, 0],
    [0.01, 30],
    [0.5, 2017],
    [1, 35_464_168],
  ])("%d of all are not above %d bytes", (share, size) => {
    expect(systemFileSize(share)).toBe(size);
  });

  test("only ever grow", () => {
    const sizes = Array.from({ length: 1001 }, (_, index) => systemFileSize(index / 1000));
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  });
});

test("seeded numbers are spread over the whole range", () => {
  const random = seededRandom(1);
  const counts = [0, 0, 0, 0];
  for (let index = 0; index < 4000; index++) {
    const number = between(random, { from: 5, to: 8 });
    counts[number - 5] = (counts[number - 5] ?? 0) + 1;
  }
  expect(counts).toHaveLength(4);
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
