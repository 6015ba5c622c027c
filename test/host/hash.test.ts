import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { type HashAlgorithm, hashInBackground, hashNow } from "../../src/host/hash.js";

const algorithms: readonly HashAlgorithm[] = ["sha256", "sha512"];
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("hashNow", () => {
  it("knows the hash of nothing and of text", () => {
    expect(hashNow("sha256", Buffer.alloc(0))).toBe(emptySha256);
    expect(hashNow("sha256", "")).toBe(emptySha256);
    expect(hashNow("sha256", "grün")).toBe(hashNow("sha256", Buffer.from("grün", "utf8")));
  });
});

describe("hashInBackground", () => {
  it("knows the hash of nothing", async () => {
    expect(await hashInBackground("sha256", Buffer.alloc(0))).toBe(emptySha256);
  });

  it.each(algorithms)("agrees with node:crypto by %s for every length", async (algorithm) => {
    const lengths = [1, 2, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 4096, 1_000_003];
    const buffers = lengths.map((length) => Buffer.alloc(length, `${algorithm}${length}`));
    const hashes = await Promise.all(buffers.map((bytes) => hashInBackground(algorithm, bytes)));
    expect(hashes).toEqual(
      buffers.map((bytes) => createHash(algorithm).update(bytes).digest("hex")),
    );
  });

  it("hashes a part of a larger buffer, and only that", async () => {
    const part = Buffer.from("0123456789").subarray(3, 7);
    expect(await hashInBackground("sha256", part)).toBe(hashNow("sha256", "3456"));
  });

  it("leaves the thread to others where the native package is there", async (context) => {
    context.skip(!hasNative(), "the native package @ronomon/crypto-async is not installed");
    const order: string[] = [];
    const hashing = hashInBackground("sha512", Buffer.alloc(32 * 1024 * 1024)).then(() => {
      order.push("hash");
    });
    setImmediate(() => order.push("other work"));
    await hashing;
    expect(order).toEqual(["other work", "hash"]);
  });
});

function hasNative(): boolean {
  try {
    createRequire(import.meta.url)("@ronomon/crypto-async");
    return true;
  } catch {
    return false;
  }
}
