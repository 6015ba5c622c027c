import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findProgram } from "../../src/launch/find-program.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const name = "stage-rootfs-test-program";

function directoryWith(mode: number): string {
  const directory = scratchDirectory();
  writeFileSync(`${directory}/${name}`, "#!/bin/sh\n");
  chmodSync(`${directory}/${name}`, mode);
  return directory;
}

describe("findProgram", () => {
  test("takes the first on PATH that can be executed", () => {
    const [plain, first, second] = [
      directoryWith(0o644),
      directoryWith(0o755),
      directoryWith(0o755),
    ];
    const nested = scratchDirectory();
    mkdirSync(`${nested}/${name}`);
    const path = [`${plain}/missing`, plain, nested, first, second].join(":");
    expect(findProgram(name, path)).toBe(`${first}/${name}`);
  });

  test("follows links, and passes over those that dangle", () => {
    const [dangling, linked] = [scratchDirectory(), scratchDirectory()];
    symlinkSync("/nowhere", `${dangling}/${name}`);
    symlinkSync(`${directoryWith(0o755)}/${name}`, `${linked}/${name}`);
    expect(findProgram(name, `${dangling}:${linked}`)).toBe(`${linked}/${name}`);
  });

  test("finds nothing where there is nothing", () => {
    expect(findProgram(name, scratchDirectory())).toBeUndefined();
    expect(findProgram(name, "")).toBeUndefined();
    expect(findProgram(name, undefined)).toBeUndefined();
  });

  test("looks in the usual places although PATH does not name them", () => {
    for (const path of [undefined, "", scratchDirectory()]) {
      expect(findProgram("sh", path)).toMatch(/^\/(usr\/)?(local\/)?bin\/sh$/);
    }
  });

  test("does not look where a relative part of PATH would lead", () => {
    const directory = directoryWith(0o755);
    const before = process.cwd();
    process.chdir(directory);
    try {
      expect(findProgram(name, ":.:./:")).toBeUndefined();
    } finally {
      process.chdir(before);
    }
  });
});
