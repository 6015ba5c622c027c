import { lstatSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkStack, type StackCase } from "../support/check-stack.js";
import { attributesAt, requireAttributes } from "../support/extended-attributes.js";
import {
  directory,
  file,
  hardLink,
  type LayerEntry,
  stack,
  symlink,
  whiteout,
} from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { contents, modeOf, mtimeOf } from "../support/tree-contents.js";

describe("what takes the place of what", () => {
  const lower = {
    file: [file("p", "low")],
    directory: [directory("p"), file("p/f"), file("p/d/g")],
    "link to a file": [file("t", "target"), symlink("p", "t")],
    "link to a directory": [directory("p.d"), file("p.d/f"), symlink("p", "p.d")],
    "dangling link": [symlink("p", "/nowhere")],
  };
  const rest = {
    file: {},
    directory: {},
    "link to a file": { t: "target" },
    "link to a directory": { "p.d": "/", "p.d/f": "p.d/f" },
    "dangling link": {},
  };
  const kinds = Object.keys(lower) as (keyof typeof lower)[];

  test.each(kinds)("a file takes the place of a %s", async (kind) => {
    await checkStack([lower[kind], [file("p", "new")]], { ...rest[kind], p: "new" });
  });

  test.each(kinds)("a link takes the place of a %s", async (kind) => {
    await checkStack([lower[kind], [symlink("p", "new")]], { ...rest[kind], p: "-> new" });
  });

  test.each(kinds)("a directory takes the place of a %s, and joins a directory", async (kind) => {
    const joined = kind === "directory" ? { "p/f": "p/f", "p/d": "/", "p/d/g": "p/d/g" } : {};
    const expected = { ...rest[kind], ...joined, p: "/", "p/new": "p/new" };
    await checkStack([lower[kind], [directory("p"), file("p/new")]], expected);
  });

  test.each(kinds)("a device that is not made hides a %s", async (kind) => {
    const rootfs = await stack(lower[kind], [{ type: "3", name: "p" }]);
    expect(contents(rootfs)).toEqual(rest[kind]);
  });

  test.each(kinds)("a hard link to another file takes the place of a %s", async (kind) => {
    const layers = [[...lower[kind], file("o", "other")], [hardLink("p", "o")]];
    await checkStack(layers, { ...rest[kind], o: "other", p: "other" });
  });
});

describe("a directory in the place of what its own layer had there", () => {
  const lower = [directory("p", { mode: 0o700, mtime: 7 }), file("p/low")];
  const first: readonly (readonly [string, LayerEntry])[] = [
    ["file", file("p", "first")],
    ["link", symlink("p", "x")],
    ["hard link", hardLink("p", "o")],
    ["hard link to a lower file", hardLink("p", "low")],
  ];

  test.each(first)("is not merged with a lower one: first a %s", async (_, entry) => {
    const base = [...lower, file("low", "low")];
    const other = file("o", "other");
    const rest = { low: "low", o: "other", p: "/", "p/new": "p/new" };
    await checkStack([base, [other, entry, directory("p"), file("p/new")]], rest);
    if (entry.type !== "2") await checkStack([base, [other, entry, file("p/new")]], rest);
  });
});

describe("directories that an upper layer only passes through", () => {
  const cases: readonly StackCase[] = [
    [
      "are the lower layers' own",
      [[file("d/f")], [file("d/g")]],
      { d: "/", "d/f": "d/f", "d/g": "d/g" },
    ],
    [
      "are the target of a relative link",
      [[file("usr/lib/a"), symlink("lib", "usr/lib")], [file("lib/b")]],
      {
        lib: "-> usr/lib",
        usr: "/",
        "usr/lib": "/",
        "usr/lib/a": "usr/lib/a",
        "usr/lib/b": "lib/b",
      },
    ],
    [
      "are the target of an absolute link",
      [[file("run/a"), directory("var"), symlink("var/run", "/run")], [file("var/run/b/c")]],
      {
        run: "/",
        "run/a": "run/a",
        "run/b": "/",
        "run/b/c": "var/run/b/c",
        var: "/",
        "var/run": "-> /run",
      },
    ],
    [
      "are the end of a chain of links over layers",
      [
        [directory("d"), symlink("a", "b")],
        [symlink("b", "/c")],
        [symlink("c", "d")],
        [file("a/f")],
      ],
      { a: "-> b", b: "-> /c", c: "-> d", d: "/", "d/f": "a/f" },
    ],
    [
      "are made where a link dangles",
      [[symlink("l", "x/y")], [file("l/f")]],
      { l: "-> x/y", x: "/", "x/y": "/", "x/y/f": "l/f" },
    ],
    ["take the place of a file", [[file("p")], [file("p/f")]], { p: "/", "p/f": "p/f" }],
    [
      "take the place of the file that a link leads to",
      [[file("p"), symlink("l", "p")], [file("l/f")]],
      { l: "-> p", p: "/", "p/f": "l/f" },
    ],
    [
      "are made anew below a whiteout",
      [[file("d/f", "", { mode: 0o600 })], [whiteout("d"), file("d/g")]],
      { d: "/", "d/g": "d/g" },
    ],
    [
      "do not climb out of the root",
      [[symlink("l", "../../../x")], [file("l/f")]],
      { l: "-> ../../../x", x: "/", "x/f": "l/f" },
    ],
    [
      "lead up from where this layer alone has a link of the same layer",
      [
        [directory("usr/lib"), symlink("lib", "usr/lib")],
        [symlink("x", "lib/.."), file("x/f")],
      ],
      { f: "x/f", lib: "-> usr/lib", usr: "/", "usr/lib": "/", x: "-> lib/.." },
    ],
    [
      "are found through links that their own layer changes, whichever name comes first",
      [
        [symlink("a", "m"), symlink("z", "m"), file("m/low")],
        [symlink("m", "n"), file("a/f"), file("z/g")],
      ],
      { a: "-> m", m: "-> n", n: "/", "n/f": "a/f", "n/g": "z/g", z: "-> m" },
    ],
    [
      "lead through links of the same layer into lower ones",
      [
        [directory("d"), symlink("b", "d")],
        [symlink("l", "b"), file("l/f")],
      ],
      { b: "-> d", d: "/", "d/f": "l/f", l: "-> b" },
    ],
  ];

  test.each(cases)("%s", async (name, layers, expected) => {
    if (name.includes("same layer")) expect(contents(await stack(...layers))).toEqual(expected);
    else await checkStack(layers, expected);
  });

  test("keep the mode and time that a lower layer gave them", async () => {
    const rootfs = await stack(
      [directory("d", { mode: 0o711, mtime: 77 }), directory(".", { mode: 0o751, mtime: 5 })],
      [file("d/f"), file("d/e/g")],
    );
    expect([modeOf(rootfs, "d"), mtimeOf(rootfs, "d")]).toEqual([0o711, 77]);
    expect([modeOf(rootfs), mtimeOf(rootfs)]).toEqual([0o751, 5]);
    expect([modeOf(rootfs, "d/e"), mtimeOf(rootfs, "d/e")]).toEqual([0o755, 0]);
  });

  test("keep the extended attributes that a lower layer gave them", async (context) => {
    requireAttributes(context);
    const rootfs = await stack(
      [directory("d", { xattrs: { "user.a": "1" } }), symlink("l", "d")],
      [file("d/f")],
      [file("l/g"), whiteout("d/f")],
    );
    expect(attributesAt(`${rootfs}/d`)).toEqual({ "user.a": "1" });
  });

  test("keep them where they are the target of a link", async () => {
    const rootfs = await stack(
      [directory("d", { mode: 0o711, mtime: 77 }), symlink("l", "d")],
      [file("l/f")],
    );
    expect([modeOf(rootfs, "d"), mtimeOf(rootfs, "d")]).toEqual([0o711, 77]);
  });

  test("a loop of links on the way is refused", async () => {
    const layers = [[symlink("l", "m"), symlink("m", "l")], [file("l/f")]];
    expect((await rejection(stack(...layers))).code).toBe("IMAGE_INVALID");
  });
});

describe("directories that an upper layer describes", () => {
  test("get its mode and time, the last layer's that describes them", async () => {
    const rootfs = await stack(
      [directory("d", { mode: 0o700, mtime: 1 }), file("d/f")],
      [directory("d", { mode: 0o751, mtime: 2 })],
      [file("d/g")],
    );
    expect([modeOf(rootfs, "d"), mtimeOf(rootfs, "d")]).toEqual([0o751, 2]);
  });

  const marked = (name: string) => ({ xattrs: { [name]: "\0\xff", "security.capability": "c" } });

  test("get its extended attributes in place of all that were there", async (context) => {
    requireAttributes(context);
    const rootfs = await stack(
      [directory("/", marked("user.old")), directory("d", marked("user.old")), file("d/f")],
      [directory("/", marked("user.new")), directory("d", marked("user.new"))],
      [file("d/g")],
    );
    expect(attributesAt(rootfs)).toEqual({ "user.new": "\0\xff" });
    expect(attributesAt(`${rootfs}/d`)).toEqual({ "user.new": "\0\xff" });
  });

  test("have no extended attributes left when none are described", async (context) => {
    requireAttributes(context);
    const old = ["bare", "hidden", "file", "constructor"];
    const rootfs = await stack(
      old.map((path) => directory(path, marked("user.old"))),
      [directory("bare"), whiteout("hidden"), file("hidden/f"), file("file")],
      [directory("file"), directory("constructor")],
    );
    for (const path of old) expect(attributesAt(`${rootfs}/${path}`)).toEqual({});
  });

  test("the root too", async () => {
    const rootfs = await stack(
      [directory("./", { mode: 0o700, mtime: 9 })],
      [file("f")],
      [directory("/", { mode: 0o755, mtime: 10 })],
    );
    expect([modeOf(rootfs), mtimeOf(rootfs)]).toEqual([0o755, 10]);
  });

  test.runIf(process.geteuid?.() === 0)("get its owner, for root", async () => {
    const rootfs = await stack(
      [directory("d", { uid: 1, gid: 2 }), directory("e", { uid: 1, gid: 2 })],
      [directory("d", { uid: 3, gid: 4 }), file("e/f")],
      [file("d/f"), directory("e", { uid: 0, gid: 0 })],
    );
    expect(lstatSync(`${rootfs}/d`)).toMatchObject({ uid: 3, gid: 4 });
    expect(lstatSync(`${rootfs}/e`)).toMatchObject({ uid: 0, gid: 0 });
  });

  test.each([-86_400, -1.5, 4_000_000_000.25])("keep a time of %d s", async (mtime) => {
    const rootfs = await stack([directory("d", { mtime }), file("d/f")], [file("d/g")]);
    expect(mtimeOf(rootfs, "d")).toBe(mtime);
  });

  test("times stand also where a later layer adds to them or hides in them", async () => {
    const rootfs = await stack(
      [directory("d", { mtime: 1_700_000_000.123456 }), file("d/a"), file("d/b")],
      [file("d/c"), whiteout("d/a")],
      [hardLink("d/e", "d/b")],
    );
    expect(mtimeOf(rootfs, "d")).toBe(1_700_000_000.123456);
  });

  test("without a parent that is described, parents are 0755 of 1970", async () => {
    const rootfs = await stack([file("a/b/c")]);
    for (const path of ["", "a", "a/b"]) {
      expect([modeOf(rootfs, path), mtimeOf(rootfs, path)]).toEqual([0o755, 0]);
    }
  });
});
