import { describe, expect, it, onTestFinished } from "vitest";
import { currentUmask } from "../../src/host/umask.js";

describe("currentUmask", () => {
  it.each([0o022, 0o077, 0o000, 0o027, 0o777])("is %o where that is set", (mask) => {
    const before = process.umask(mask);
    onTestFinished(() => void process.umask(before));
    expect(currentUmask()).toBe(mask);
  });

  it("does not change the mask", () => {
    const before = process.umask(0o037);
    onTestFinished(() => void process.umask(before));
    currentUmask();
    expect(process.umask(0o037)).toBe(0o037);
  });
});
