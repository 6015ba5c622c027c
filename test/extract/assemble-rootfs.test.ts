import { lstatSync, mkdirSync, mkdtempSync, statSync, symlinkSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { assembleRootfs } from "../../src/extract/assemble-rootfs.js";
import { removeTree } from "../../src/host/remove-tree.js";
import type { Layers } from "../support/check-stack.js";
import { attributesAt, requireAttributes } from "../support/extended-attributes.js";
import {
  assembleLayers,
  directory,
  file,
  hardLink,
  opaque,
  stack,
  symlink,
  type Unpacked,
  unpackEntries,
  whiteout,
} from "../support/layers.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { contents, inodeOf, listing, modeOf, mtimeOf } from "../support/tree-contents.js";

describe("a rootfs", () => {
  async function unpacked(...layers: Layers): Promise<readonly Unpacked[]> {
    return await Promise.all(
      layers.map((entries) => unpackEntries(entries, { into: scratchDirectory() })),
    );
  }

  test("shares its files with the layers, links and empty files too", async () => {
    const layers = await unpacked(
      [file("d/a", "content"), symlink("l", "d")],
      [file("e", ""), hardLink("d/b", "d/a")],
    );
    const [lower, upper] = layers;
    const rootfs = assembleLayers(layers);
    if (!lower || !upper) throw new Error("two layers were unpacked");
    expect(inodeOf(rootfs, "d/a")).toBe(inodeOf(lower.tree, "d/a"));
    expect(inodeOf(rootfs, "d/b")).toBe(inodeOf(lower.tree, "d/a"));
    expect(inodeOf(rootfs, "l")).toBe(inodeOf(lower.tree, "l"));
    expect(inodeOf(rootfs, "e")).toBe(inodeOf(upper.tree, "e"));
    expect(inodeOf(rootfs, "d")).not.toBe(inodeOf(lower.tree, "d"));
  });

  test("leaves the layers' trees as they were: content, modes, owners, times", async () => {
    const layers = await unpacked(
      [
        directory("./", { mode: 0o700, mtime: 4 }),
        directory("d", { mode: 0o750, mtime: 5 }),
        file("d/a", "content", { mode: 0o640, mtime: 6 }),
        file("d/b"),
        symlink("l", "d", { mtime: 7 }),
        file("x/y/z"),
      ],
      [
        directory("d", { mode: 0o711, mtime: 8 }),
        file("d/a", "new"),
        whiteout("d/b"),
        opaque("x"),
        hardLink("c", "d/b"),
        file("l/below"),
      ],
      [whiteout("l"), file("x"), directory("c"), hardLink("h", "d/a")],
    );
    const before = layers.map(({ tree }) => listing(tree));
    assembleLayers(layers);
    assembleLayers(layers.slice(0, 2));
    expect(layers.map(({ tree }) => listing(tree))).toEqual(before);
  });

  test("of no layers is an empty directory that everybody may read", async () => {
    const rootfs = assembleLayers([]);
    expect(contents(rootfs)).toEqual({});
    expect([modeOf(rootfs), mtimeOf(rootfs)]).toEqual([0o755, 0]);
  });

  test("of layers without entries is empty too", async () => {
    expect(contents(await stack([], [], []))).toEqual({});
  });

  test("of a layer that comes again and again has what came last", async () => {
    const [a, b] = await unpacked([file("f", "a"), file("g")], [file("f", "b"), whiteout("g")]);
    if (!a || !b) throw new Error("two layers were unpacked");
    expect(contents(assembleLayers([a, b, a]))).toEqual({ f: "a", g: "g" });
    expect(contents(assembleLayers([a, a, b, b]))).toEqual({ f: "b" });
  });

  test("of 127 layers has them all", async () => {
    const layers = await unpacked(
      ...Array.from({ length: 127 }, (_, i) => [file(`f${i}`), file("last", String(i))]),
    );
    const found = contents(assembleLayers(layers));
    expect(Object.keys(found)).toHaveLength(128);
    expect(found["last"]).toBe("126");
  });

  test("leaves nothing in the scratch directory", async () => {
    const [a, b] = await unpacked(
      [file("a")],
      [hardLink("b", "a"), whiteout("a"), hardLink("c", "a")],
    );
    if (!a || !b) throw new Error("two layers were unpacked");
    const parent = scratchDirectory();
    for (const name of ["rootfs", "scratch"]) mkdirSync(`${parent}/${name}`);
    assembleRootfs([a, b], { rootfs: `${parent}/rootfs`, scratch: `${parent}/scratch` });
    expect(contents(`${parent}/scratch`)).toEqual({});
  });

  test("that can't be written to says which", async () => {
    const [layer] = await unpacked([file("a")]);
    if (!layer) throw new Error("a layer was unpacked");
    const rootfs = `${scratchDirectory()}/missing`;
    const error = refusal(() => assembleRootfs([layer], { rootfs, scratch: rootfs }));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain(rootfs);
  });

  test("has directories with the image's modes also in a process with a tight umask", async () => {
    const layers = await unpacked([directory("d", { mode: 0o777 }), file("e/f")]);
    const before = process.umask(0o077);
    try {
      const rootfs = assembleLayers(layers);
      expect([modeOf(rootfs), modeOf(rootfs, "d"), modeOf(rootfs, "e")]).toEqual([
        0o755, 0o777, 0o755,
      ]);
    } finally {
      process.umask(before);
    }
  });

  test.runIf(process.geteuid?.() === 0)("has the image's owners on directories", async () => {
    const rootfs = await stack(
      [directory("d", { uid: 12, gid: 34, mode: 0o2775 }), file("d/f", "", { uid: 5, gid: 6 })],
      [file("d/g")],
    );
    expect(lstatSync(`${rootfs}/d`)).toMatchObject({ uid: 12, gid: 34 });
    expect(lstatSync(`${rootfs}/d/f`)).toMatchObject({ uid: 5, gid: 6 });
    expect(lstatSync(rootfs)).toMatchObject({ uid: 0, gid: 0 });
  });
});

describe("on another disk than the layers", () => {
  const memory = "/dev/shm";

  /** Puts a rootfs of one layer together in memory; skips the test where that is no other disk. */
  function assembleInMemory(layer: Unpacked, context: { skip: (note: string) => void }): string {
    const other = statSync(memory, { throwIfNoEntry: false });
    if (!other || other.dev === statSync(layer.tree).dev) {
      context.skip(`${memory} is no other file system than the one of temporary files`);
    }
    const parent = mkdtempSync(`${memory}/stage-rootfs-test-`);
    onTestFinished(() => removeTree(parent));
    for (const name of ["rootfs", "scratch"]) mkdirSync(`${parent}/${name}`);
    const rootfs = `${parent}/rootfs`;
    assembleRootfs([layer], { rootfs, scratch: `${parent}/scratch` });
    return rootfs;
  }

  test("files and links are copied with all they have", async (context) => {
    const layer = await unpackEntries([
      file("a", "content", { mode: 0o751, mtime: 1_700_000_000.123456, uid: 3, gid: 4 }),
      symlink("l", "caf\xe9", { mtime: -7 }),
      file("secret", "x", { mode: 0o400 }),
    ]);
    const rootfs = assembleInMemory(layer, context);
    expect(contents(rootfs)).toEqual({ a: "content", l: "-> caf\xe9", secret: "x" });
    expect([modeOf(rootfs, "a"), modeOf(rootfs, "secret")]).toEqual([0o751, 0o400]);
    expect([mtimeOf(rootfs, "a"), mtimeOf(rootfs, "l")]).toEqual([1_700_000_000.123456, -7]);
    const owner = lstatSync(`${layer.tree}/a`);
    expect(lstatSync(`${rootfs}/a`)).toMatchObject({ uid: owner.uid, gid: owner.gid });
  });

  test("files are copied with their extended attributes", async (context) => {
    requireAttributes(context);
    const marked = { mtime: 7, xattrs: { "user.a": "\0\xff", "user.b": "" } };
    const layer = await unpackEntries([
      file("f", "", marked),
      file("read-only", "", { ...marked, mode: 0o444 }),
      symlink("l", "f"),
    ]);
    const rootfs = assembleInMemory(layer, context);
    requireAttributes(context, rootfs);
    for (const path of ["f", "read-only"]) {
      expect(attributesAt(`${rootfs}/${path}`)).toEqual(marked.xattrs);
      expect(mtimeOf(rootfs, path)).toBe(7);
    }
    expect(modeOf(rootfs, "read-only")).toBe(0o444);
  });
});

test("a link in the layer's tree that was put there afterwards is a link, never a directory", async () => {
  const layer = await unpackEntries([file("d/f")]);
  symlinkSync("/etc", `${layer.tree}/d/etc`);
  expect(contents(assembleLayers([layer]))).toMatchObject({ "d/etc": "-> /etc" });
});
