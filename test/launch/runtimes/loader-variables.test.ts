import { expect, test } from "vitest";
import { partEnvironment } from "../../../src/launch/runtimes/loader-variables.js";

test("what glibc would load code or files by is kept apart, and nothing else", () => {
  const loader = {
    LD_PRELOAD: "/a",
    LD_LIBRARY_PATH: "/b",
    LD_anything: "",
    GLIBC_TUNABLES: "c",
    GCONV_PATH: "/d",
    LOCPATH: "/e",
    MALLOC_ARENA_MAX: "1",
    TMPDIR: "/f",
  };
  const harmless = { PATH: "/bin", HOME: "/", LANG: "C.UTF-8", LDFLAGS: "-g", OLD_PATH: "/g" };
  expect(partEnvironment({ ...harmless, ...loader })).toEqual({ harmless, loader });
});
