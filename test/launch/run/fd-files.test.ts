import { closeSync, fstatSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openContent } from "../../../src/launch/run/fd-files.js";

describe("openContent", () => {
  test.each([0, 5, 1_000_000])(
    "is read from its beginning, all %i bytes, and has no name",
    (size) => {
      const content = Buffer.alloc(size, "a\0b");
      const fd = openContent(content);
      try {
        expect(fstatSync(fd).nlink).toBe(0);
        expect(readFileSync(fd).equals(content)).toBe(true);
      } finally {
        closeSync(fd);
      }
    },
  );

  test("leaves nothing behind", () => {
    const ours = () => readdirSync("/dev/shm").filter((name) => /^stage-rootfs-\w{6}$/.test(name));
    const before = ours();
    closeSync(openContent(Buffer.from("x")));
    expect(ours()).toEqual(before);
  });
});
