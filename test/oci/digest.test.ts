import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkDigest, digestOf, isDigest, parseDigest, splitDigest } from "../../src/oci/digest.js";
import { refusal } from "../support/refusal.js";

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}` as const;
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}` as const;

describe("parseDigest", () => {
  it.each([sha256, sha512])("takes %s", (text) => {
    expect(parseDigest(text)).toBe(text);
    expect(isDigest(text)).toBe(true);
  });

  it.each([
    `sha384:${"a".repeat(96)}`,
    `md5:${"a".repeat(32)}`,
    `blake3:${"a".repeat(64)}`,
    "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
    "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
  ])("refuses %s for its algorithm", (text) => {
    expect(refusal(() => parseDigest(text))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining(text.slice(0, text.indexOf(":"))),
    });
    expect(isDigest(text)).toBe(false);
  });

  it.each([
    "",
    ":",
    "sha256",
    "sha256:",
    `sha256:${"a".repeat(63)}`,
    `sha256:${"a".repeat(65)}`,
    `sha256:${"A".repeat(64)}`,
    `sha256:${"g".repeat(64)}`,
    `sha512:${"a".repeat(64)}`,
    `SHA256:${"a".repeat(64)}`,
    "a".repeat(64),
    `${sha256}\n`,
    ` ${sha256}`,
    `sha256:../../../../etc/passwd`,
    `sha256:${"../".repeat(21)}a`,
    `sha256:${"a".repeat(63)}\0`,
  ])("refuses %j, which is no digest", (text) => {
    expect(refusal(() => parseDigest(text))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("is not a digest"),
    });
    expect(isDigest(text)).toBe(false);
  });
});

describe("digestOf", () => {
  const bytes = Buffer.from("hello");

  it("is sha256 where nothing else is asked for", () => {
    expect(digestOf(bytes)).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
  });

  it("uses the algorithm of another digest", () => {
    expect(digestOf(bytes, sha512)).toBe(
      `sha512:${createHash("sha512").update(bytes).digest("hex")}`,
    );
    expect(digestOf(bytes, sha256)).toBe(digestOf(bytes));
  });
});

describe("splitDigest", () => {
  it.each([
    { digest: sha256, algorithm: "sha256", hex: sha256.slice(7) },
    { digest: sha512, algorithm: "sha512", hex: sha512.slice(7) },
  ])("splits $algorithm", ({ digest, algorithm, hex }) => {
    expect(splitDigest(digest)).toEqual({ algorithm, hex });
  });
});

describe("checkDigest", () => {
  const actual = digestOf(Buffer.from("x"));

  it("is content with equal digests", () => {
    expect(() => checkDigest("a blob", { expected: actual, actual })).not.toThrow();
  });

  it("names the thing and both digests otherwise", () => {
    expect(refusal(() => checkDigest("a blob", { expected: sha256, actual }))).toMatchObject({
      code: "DIGEST_MISMATCH",
      message: `a blob should be ${sha256}, but is ${actual}`,
      hint: expect.stringContaining("fetch or copy"),
    });
  });
});
