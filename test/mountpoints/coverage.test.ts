import { describe, expect, test } from "vitest";
import {
  coversRequests,
  mergeMountPoints,
  selectMountPoints,
} from "../../src/mountpoints/coverage.js";
import type { MountKind, MountPoint } from "../../src/mountpoints/mount-point.js";

function point(target: string, kind: MountKind, created = true): MountPoint {
  return { target, path: target, kind, created };
}

const points = [point("/a", "dir"), point("/b", "file", false), point("/c/d", "dir")];

describe("coversRequests", () => {
  test.each([
    [[], true],
    [[["/a", "dir"]], true],
    [[["/a", "any"]], true],
    [[["/b", "any"]], true],
    [[["/a", "file"]], false],
    [[["/b", "dir"]], false],
    [[["/c", "dir"]], false],
    [
      [
        ["/c/d", "dir"],
        ["/x", "any"],
      ],
      false,
    ],
    [[["/A", "dir"]], false],
  ] as const)("%j: %s", (requests, covered) => {
    const wanted = requests.map(([target, kind]) => ({ target, kind }));
    expect(coversRequests(points, wanted)).toBe(covered);
  });
});

test("selectMountPoints gives those that were asked for, each once", () => {
  const requests = [
    { target: "/b", kind: "any" },
    { target: "/b", kind: "file" },
    { target: "/a", kind: "dir" },
  ] as const;
  expect(selectMountPoints(points, requests)).toEqual([points[0], points[1]]);
});

describe("mergeMountPoints", () => {
  test("keeps what was there and adds what is new", () => {
    const merged = mergeMountPoints([point("/a", "dir")], [point("/b", "file")]);
    expect(merged.map(({ target }) => target).sort()).toEqual(["/a", "/b"]);
  });

  test("remembers that a place was made earlier, although it is found there now", () => {
    const merged = mergeMountPoints([point("/a", "dir", true)], [point("/a", "dir", false)]);
    expect(merged).toEqual([point("/a", "dir", true)]);
  });
});
