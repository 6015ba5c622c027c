import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rememberTag } from "../../../src/cache/index/remember-tag.js";
import { lookUpTag, tagRecordName } from "../../../src/cache/index/tag-index.js";
import type { CacheLayout } from "../../../src/cache/layout.js";
import { emptyCache } from "../../support/cache.js";

function freshLayout(): CacheLayout {
  return emptyCache().layout;
}

const record = { digest: "sha256:1234", checkedAt: 1_700_000_000_000 };

describe("a tag", () => {
  test.for(["docker.io/library/debian:latest", "[::1]:5000/a__b/c-d:V1.0_x", "h/n:t@sha256:12"])(
    "%s is remembered",
    (tag) => {
      const layout = freshLayout();
      expect(lookUpTag(layout, tag)).toBeUndefined();
      rememberTag(layout, { tag, ...record });
      expect(lookUpTag(layout, tag)).toEqual(record);
      expect(lookUpTag(layout, `${tag}x`)).toBeUndefined();
    },
  );

  test("of a name too long for a file is not remembered", () => {
    const layout = freshLayout();
    const tag = `host/${"n".repeat(250)}:latest`;
    expect(tagRecordName(tag)).toBeUndefined();
    rememberTag(layout, { tag, ...record });
    expect(lookUpTag(layout, tag)).toBeUndefined();
  });

  test.for([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["another version", JSON.stringify({ schemaVersion: 2, tag: "h/n:t", ...record })],
    ["another tag", JSON.stringify({ schemaVersion: 1, tag: "h/n:u", ...record })],
    ["no time", JSON.stringify({ schemaVersion: 1, tag: "h/n:t", digest: "sha256:1" })],
  ])("whose record is %s is not known", ([, content]) => {
    const layout = freshLayout();
    writeFileSync(layout.indexRecord(tagRecordName("h/n:t") ?? ""), content ?? "");
    expect(lookUpTag(layout, "h/n:t")).toBeUndefined();
  });
});
