import { describe, expect, test } from "vitest";
import { markerOf } from "../../src/extract/whiteout.js";
import { refusal } from "../support/refusal.js";

describe("markerOf", () => {
  test.each(["", "a", "wh.a", ".wha", ".wh", ".WH.a", "a.wh.b", "..wh.a"])(
    "%j is an ordinary name",
    (base) => {
      expect(markerOf(base)).toBeUndefined();
    },
  );

  test.each([
    [".wh.a", "a"],
    [".wh..hidden", ".hidden"],
    [".wh....", "..."],
    [".wh.a.wh.b", "a.wh.b"],
    [".wh.wh.a", "wh.a"],
    [".wh.\xff", "\xff"],
    [".wh. ", " "],
  ])("%j hides %j", (base, name) => {
    expect(markerOf(base)).toEqual({ kind: "whiteout", name });
  });

  test("the opaque marker hides what lower layers have in its directory", () => {
    expect(markerOf(".wh..wh..opq")).toEqual({ kind: "opaque" });
  });

  test.each([".wh..wh.aufs", ".wh..wh.orph", ".wh..wh.plnk", ".wh..wh..opqx", ".wh..wh."])(
    "%j is housekeeping of AUFS",
    (base) => {
      expect(markerOf(base)).toEqual({ kind: "housekeeping" });
    },
  );

  test.each([".wh..wh.plnk/1.2", "a/.wh..wh.orph/b/c", ".wh..wh.plnk/.wh.x"])(
    "%j lies in a directory of AUFS's own",
    (path) => {
      expect(markerOf(path)).toEqual({ kind: "housekeeping" });
    },
  );

  test("the directory a marker stands in is no part of it", () => {
    expect(markerOf("a/b/.wh.c")).toEqual({ kind: "whiteout", name: "c" });
    expect(markerOf("a/.wh..wh..opq")).toEqual({ kind: "opaque" });
  });

  test.each([".wh.x/c", "a/.wh.x/b/c", ".wh.x/.wh.y"])(
    "%j is refused: nothing can lie below a whiteout",
    (path) => {
      expect(refusal(() => markerOf(path)).code).toBe("IMAGE_INVALID");
    },
  );

  test.each([".wh.", ".wh..", ".wh..."])("%j is refused: a whiteout of nothing", (base) => {
    expect(refusal(() => markerOf(base)).code).toBe("IMAGE_INVALID");
  });
});
