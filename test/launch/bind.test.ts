import { describe, expect, test } from "vitest";
import { parseBind } from "../../src/launch/bind.js";
import { refusal } from "../support/refusal.js";

describe("parseBind", () => {
  test.each([
    ["/a:/b", "/a", "/b", "rw"],
    ["/a:/b:ro", "/a", "/b", "ro"],
    ["/a:/b:rw", "/a", "/b", "rw"],
    ["relative:/b", "relative", "/b", "rw"],
    [".:/b", ".", "/b", "rw"],
    ["/with:colons:in:/b:ro", "/with:colons:in", "/b", "ro"],
    ["/a/:/b/", "/a/", "/b", "rw"],
    ["/a b:/c d", "/a b", "/c d", "rw"],
    ["/a\n:/b", "/a\n", "/b", "rw"],
    ["/a:/ro", "/a", "/ro", "rw"],
    ["ro:/b", "ro", "/b", "rw"],
    ["/a:ro:/b", "/a:ro", "/b", "rw"],
    ["/ä:/ö:ro", "/ä", "/ö", "ro"],
  ])("takes %j", (text, source, target, access) => {
    expect(parseBind(text)).toEqual({ source, target, access });
  });

  test.each([
    "",
    ":",
    "/a",
    "/a:",
    ":/b",
    "/a:ro",
    "/a:rw",
    "ro",
    "/a:b",
    "/a:/b:rx",
    "/a:/",
    "/a:/../etc",
    "/a:/b/..",
    "::",
    ":/b:ro",
  ])("refuses %j", (text) => {
    const error = refusal(() => parseBind(text));
    expect(error.code).toBe("USAGE");
    expect(error.hint).toBeDefined();
  });
});
