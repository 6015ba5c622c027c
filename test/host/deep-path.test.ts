import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { pathBelow } from "../../src/host/byte-string.js";
import { directLimit } from "../../src/host/deep-path.js";
import { removeTree } from "../../src/host/remove-tree.js";
import {
  assembleLayers,
  directory,
  file,
  hardLink,
  opaque,
  symlink,
  unpackEntries,
  whiteout,
} from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** A path of `depth` components that have all the bytes a name may have. */
function deep(depth: number): string {
  return Array.from({ length: depth }, () => "d".repeat(255)).join("/");
}

describe("paths beyond PATH_MAX", () => {
  test.each([14, 15, 16, 17, 40])(
    "of %i long components are unpacked, linked and removed",
    async (depth) => {
      const parents = Array.from({ length: depth }, (_, i) => directory(deep(i + 1)));
      const path = `${deep(depth)}/file`;
      const layer = await unpackEntries([
        ...parents,
        file(path, "deep"),
        hardLink(`${deep(depth)}/link`, path),
        symlink(`${deep(depth)}/symlink`, "file"),
      ]);
      const rootfs = assembleLayers([layer]);
      for (const root of [layer.tree, rootfs]) {
        for (const name of ["file", "link", "symlink"]) {
          expect(readFileSync(pathBelow(root, `${deep(depth)}/${name}`), "utf8")).toBe("deep");
        }
      }
      removeTree(rootfs);
      expect(() => readFileSync(pathBelow(rootfs, "d".repeat(255)))).toThrow("ENOENT");
      removeTree(layer.tree);
    },
  );

  test.each([14, 17, 40])("of %i long components are hidden by upper layers", async (depth) => {
    const lower = await unpackEntries(
      [file(`${deep(depth)}/a`), file(`${deep(depth)}/e/f`), file(`${deep(depth)}/kept`)],
      { into: scratchDirectory() },
    );
    const upper = await unpackEntries([whiteout(`${deep(depth)}/a`), opaque(`${deep(depth)}/e`)], {
      into: scratchDirectory(),
    });
    const rootfs = assembleLayers([lower, upper]);
    expect(readdirSync(pathBelow(rootfs, deep(depth))).sort()).toEqual(["e", "kept"]);
    expect(readdirSync(pathBelow(rootfs, `${deep(depth)}/e`))).toEqual([]);
  });

  test("lead to what stands there now, also after a tree was made anew", async () => {
    const path = `${deep(20)}/file`;
    const { tree } = await unpackEntries([file(path, "first")]);
    expect(readFileSync(pathBelow(tree, path), "utf8")).toBe("first");
    removeTree(tree, "d".repeat(255));
    expect(() => writeFileSync(pathBelow(tree, path), "x")).toThrow("ENOENT");
  });

  test("with a component that no file system takes fail as too long", () => {
    const root = scratchDirectory();
    for (const path of ["x".repeat(9000), `a/${"x".repeat(9000)}/b`, `${"x".repeat(9000)}/b`]) {
      expect(() => readFileSync(pathBelow(root, path))).toThrow(/ENAMETOOLONG|ENOENT/);
      expect(() => readFileSync(pathBelow(root, path))).not.toThrow("ELOOP");
    }
  });

  test("are left as they are as long as the kernel takes them", () => {
    const root = scratchDirectory();
    const name = "x".repeat(Math.floor(directLimit / 2));
    expect(pathBelow(root, name)).toBe(`${root}/${name}`);
  });
});
