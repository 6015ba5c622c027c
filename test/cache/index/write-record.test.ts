import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { writeRecord } from "../../../src/cache/index/write-record.js";
import { emptyCache, leftovers } from "../../support/cache.js";

test("a record takes the place of a directory that stands there", () => {
  const cache = emptyCache();
  const path = cache.layout.indexRecord("tag-x");
  mkdirSync(`${path}/x/y`, { recursive: true });
  writeRecord(path, { a: 1 }, { layout: cache.layout });
  expect(readFileSync(path, "utf8")).toBe('{"a":1}\n');
  expect(readdirSync(cache.layout.index)).toEqual(["tag-x.json"]);
  expect(leftovers(cache)).toEqual([]);
});
