import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { forgetSource, indexRecords, isObsolete } from "../../../src/cache/index/index-records.js";
import { rememberFile } from "../../../src/cache/index/remember-file.js";
import { rememberTag } from "../../../src/cache/index/remember-tag.js";
import { fileIdentity } from "../../../src/cache/index/source-index.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const digest = `sha256:${"1".repeat(64)}`;
const day = 24 * 3600;

/** Remembers a file of the given content, whose image is `id`. */
function remember({ layout }: TestCache, id: string, isPathKnown = true): string {
  const path = `${scratchDirectory()}/image.tar`;
  writeFileSync(path, id);
  const identity = fileIdentity(statSync(path, { bigint: true }));
  const known = { imageId: id };
  rememberFile(layout, { identity, selection: "", known, path: isPathKnown ? path : undefined });
  return path;
}

function rememberManifest({ layout }: TestCache, id: string): void {
  const identity = { name: `manifest-${digest.replace(":", "-")}`, state: "" };
  rememberFile(layout, { identity, selection: "", known: { imageId: id } });
}

/** Dates all that a cache remembers. */
function makeOld({ layout }: TestCache, days: number): void {
  const time = Date.now() / 1000 - days * day;
  for (const name of readdirSync(layout.index)) utimesSync(`${layout.index}/${name}`, time, time);
}

function obsolete({ layout }: TestCache, ...imageIds: readonly string[]): number {
  const at = { imageIds: new Set(imageIds), now: Date.now() };
  return [...indexRecords(layout)].filter((record) => isObsolete(record, at)).length;
}

describe("what the index remembers", () => {
  test("of a file stays as long as the file, or an entry of its image", () => {
    const cache = emptyCache();
    const path = remember(cache, "a");
    makeOld(cache, 100);
    expect(obsolete(cache)).toBe(0);
    rmSync(path);
    expect([obsolete(cache, "a"), obsolete(cache, "b"), obsolete(cache)]).toEqual([0, 1, 1]);
  });

  test("of a file that has changed is of no more use", () => {
    const cache = emptyCache();
    writeFileSync(remember(cache, "a"), "changed");
    expect([obsolete(cache, "a"), obsolete(cache)]).toEqual([0, 1]);
  });

  test("of a file that can't be found, or of a registry, stays for a month", () => {
    const cache = emptyCache();
    remember(cache, "a", false);
    rememberManifest(cache, "b");
    rememberTag(cache.layout, { tag: "localhost/b:latest", digest, checkedAt: 0 });
    makeOld(cache, 29);
    expect(obsolete(cache)).toBe(0);
    makeOld(cache, 31);
    expect([obsolete(cache), obsolete(cache, "a"), obsolete(cache, "b")]).toEqual([3, 2, 1]);
  });

  test("says where images come from", () => {
    const cache = emptyCache();
    const path = remember(cache, "a");
    rememberManifest(cache, "b");
    rmSync(remember(cache, "c"));
    const found = [...indexRecords(cache.layout)];
    const seen = found.map(({ kind, imageIds, isThere }) => [kind, ...imageIds, isThere]);
    expect(seen.sort()).toEqual([
      ["file", "a", true],
      ["file", "c", false],
      ["manifest", "b", undefined],
    ]);
    expect(statSync(path).isFile()).toBe(true);
    for (const record of found) forgetSource(cache.layout, record);
    expect(readdirSync(cache.layout.index)).toEqual([]);
  });

  test("may be garbage", () => {
    const cache = emptyCache();
    for (const text of ["", "{", "[]", '{"images":[1]}', '{"images":{"x":1},"path":5}']) {
      writeFileSync(cache.layout.indexRecord(`1-${text.length}`), text);
    }
    writeFileSync(`${cache.layout.index}/x.json.1.tmp`, "");
    const found = [...indexRecords(cache.layout)];
    expect(found.map(({ imageIds }) => imageIds)).toEqual(found.map(() => []));
    expect(found).toHaveLength(5);
  });
});
