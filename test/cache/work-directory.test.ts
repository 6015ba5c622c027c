import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { CacheLayout } from "../../src/cache/layout.js";
import { makeWorkDirectory } from "../../src/cache/work-directory.js";
import { emptyCache } from "../support/cache.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

describe("a work directory", () => {
  test("is empty, private and another one each time", () => {
    const cache = emptyCache();
    const [a, b] = [makeWorkDirectory(cache.layout), makeWorkDirectory(cache.layout)];
    expect(a).not.toBe(b);
    expect(readdirSync(a)).toEqual([]);
    expect(statSync(a).mode & 0o7777).toBe(0o700);
    expect(readdirSync(cache.layout.tmp).sort()).toEqual([a, b].map((p) => basename(p)).sort());
  });

  test("hands down neither setgid nor a group, in a cache whose group is inherited", () => {
    const cache = emptyCache();
    if (process.geteuid?.() === 0) chownSync(cache.layout.tmp, 0, 4321);
    chmodSync(cache.layout.tmp, 0o2700);
    const made = makeWorkDirectory(cache.layout);
    mkdirSync(`${made}/tree`);
    for (const path of [made, `${made}/tree`]) {
      expect(statSync(path).mode & 0o7000).toBe(0);
      expect(statSync(path).gid).toBe(process.getegid?.());
    }
  });

  test("that can't be made is named", () => {
    const missing = new CacheLayout(`${scratchDirectory()}/missing`);
    const error = refusal(() => makeWorkDirectory(missing));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain(missing.tmp);
  });
});
