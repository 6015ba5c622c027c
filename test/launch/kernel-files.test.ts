import { describe, expect, test } from "vitest";
import { kernelFiles, kernelMounts } from "../../src/launch/kernel-files.js";

const sysReadOnly = { type: "bind", source: "/proc/sys", target: "/proc/sys", access: "ro" };

describe("files that set the kernel", () => {
  test.each([
    ["root's", { caller: { uid: 0, gid: 5 } }, [sysReadOnly]],
    ["those of nobody knows whom", {}, [sysReadOnly]],
    ["others'", { caller: { uid: 7, gid: 0 }, kernelFiles: ["sys"] }, []],
  ])("are read-only for commands: %s", (_, runtime, mounts) => {
    expect(kernelMounts(runtime)).toEqual(mounts);
  });

  test("are where the sandbox has its /proc", () => {
    expect(kernelMounts({ kernelFiles: ["bus"] }, { proc: "/p" })).toEqual([
      { type: "bind", source: "/proc/bus", target: "/p/bus", access: "ro" },
    ]);
  });

  test("are those that this kernel has", () => {
    expect(kernelFiles()).toContain("sys");
    expect(kernelFiles()).not.toContain("no-such-file");
  });
});
