import { describe, expect, test } from "vitest";
import { LAYERS, layersOfPackages, pathsOf } from "../../../bench/images/debian-layers.mjs";

const status = `Package: dash
Status: install ok installed
Priority: required
Description: a shell
 Package: not-a-package

Package: g++-12
Priority: optional

Package: python3
Priority: optional

Package: git-man
Priority: optional

Package: libicu72
Priority: optional
`;

describe("layersOfPackages", () => {
  test("puts what every Debian needs into the base layer, and the rest where it belongs", () => {
    expect(Object.fromEntries(layersOfPackages(status))).toEqual({
      dash: 0,
      "g++-12": 1,
      python3: 2,
      "git-man": 3,
      libicu72: 4,
    });
  });

  test("has a package for every layer above", () => {
    const layers = new Set(layersOfPackages(status).values());
    expect(layers.size).toBe(LAYERS);
  });
});

test("paths are those in a system with a merged /usr", () => {
  const list = "/.\n/bin\n/bin/dash\n/lib64/ld.so\n/usr/bin\n/library/x\n";
  expect(pathsOf(list)).toEqual(["bin", "usr/bin/dash", "usr/lib64/ld.so", "usr/bin", "library/x"]);
});
