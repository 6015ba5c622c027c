import { describe, expect, test } from "vitest";
import { withGpu } from "../../../src/launch/runtimes/gpu-environment.js";

describe("withGpu", () => {
  const env = { PATH: "/bin", LD_LIBRARY_PATH: "/lib/mine", A: "1" };
  const gpu = { vendor: "nvidia", mounts: [] } as const;

  test("puts the driver's libraries first and its programs last", () => {
    expect(withGpu(env, { ...gpu, libraryPath: ["/a", "/b"], programPath: ["/c"] })).toEqual({
      PATH: "/bin:/c",
      LD_LIBRARY_PATH: "/a:/b:/lib/mine",
      A: "1",
    });
  });

  test("sets no variable to nothing", () => {
    const found = withGpu({ PATH: "/bin" }, { ...gpu, libraryPath: [], programPath: [] });
    expect(found).toEqual({ PATH: "/bin" });
  });

  test("leaves an environment alone without a GPU", () => {
    expect(withGpu(env, null)).toBe(env);
  });
});
