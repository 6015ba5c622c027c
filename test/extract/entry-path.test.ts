import { describe, expect, test } from "vitest";
import { entryPath } from "../../src/extract/entry-path.js";
import { refusal } from "../support/refusal.js";

describe("entryPath", () => {
  test.each([
    ["a", "a"],
    ["a/b", "a/b"],
    ["/a/b", "a/b"],
    ["//a//b", "a/b"],
    ["./a", "a"],
    ["././a/./b/.", "a/b"],
    ["a/", "a"],
    ["a///", "a"],
    ["/nix/store/x", "nix/store/x"],
    [".", ""],
    ["./", ""],
    ["/", ""],
    ["//", ""],
    ["/.", ""],
    ["/./", ""],
    ["...", "..."],
    ["a/...", "a/..."],
    ["..a", "..a"],
    ["a..", "a.."],
    [".a", ".a"],
    ["a/.hidden/b", "a/.hidden/b"],
    ["a b\n", "a b\n"],
    ["\xff/\xfe", "\xff/\xfe"],
    ["a\\..\\b", "a\\..\\b"],
  ])("takes %j for %j", (name, path) => {
    expect(entryPath(name)).toBe(path);
  });

  test.each(["..", "../a", "a/..", "a/../b", "/..", "./../a", "a/../../b", "a/b/../../.."])(
    "refuses %j, which could lead out of the tree",
    (name) => {
      const error = refusal(() => entryPath(name));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toContain('".."');
    },
  );

  test("refuses an empty name", () => {
    expect(refusal(() => entryPath("")).code).toBe("IMAGE_INVALID");
  });

  test("escapes what could upset a terminal in its message", () => {
    expect(refusal(() => entryPath("../\x1b[2J\n")).message).toContain("../\\x1b[2J\\x0a");
  });
});
