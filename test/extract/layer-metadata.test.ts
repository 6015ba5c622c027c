import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import type { OwnershipPolicy } from "../../src/extract/policy.js";
import { pathBelow } from "../../src/host/byte-string.js";
import { attributesAt, requireAttributes } from "../support/extended-attributes.js";
import {
  assembleLayers,
  directory,
  file,
  hardLink,
  type LayerEntry,
  symlink,
  unpackEntries,
  usualPolicy,
} from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { modeOf, mtimeOf, pathsBelow } from "../support/tree-contents.js";

const isRoot = process.geteuid?.() === 0;
const squash: OwnershipPolicy = { owner: "squash", setuid: "drop" };
const originalUmask = process.umask();

afterEach(() => {
  process.umask(originalUmask);
});

const modes = [0o000, 0o111, 0o200, 0o400, 0o444, 0o555, 0o600, 0o644, 0o664, 0o777, 0o1777];

describe.each([
  ["0000", 0o000],
  ["0022", 0o022],
  ["0027", 0o027],
  ["0077", 0o077],
])("with the umask %s", (_, umask) => {
  test("files get the archive's modes", async () => {
    process.umask(umask);
    const { tree } = await unpackEntries(modes.map((mode) => file(`f${mode}`, "", { mode })));
    process.umask(originalUmask);
    for (const mode of modes) expect(modeOf(tree, `f${mode}`)).toBe(mode);
  });

  test("squashed directories get the archive's modes, and all that their owner needs", async () => {
    process.umask(umask);
    const { tree, record } = await unpackEntries(
      modes.flatMap((mode) => [directory(`d${mode}`, { mode }), file(`d${mode}/f`)]),
      { policy: squash },
    );
    process.umask(originalUmask);
    for (const mode of modes) expect(modeOf(tree, `d${mode}`)).toBe(mode | 0o700);
    expect(record.onRecord.modes).toMatchObject({ "0000": ["d0"], "0555": [`d${0o555}`] });
    expect(record.onRecord.modes).not.toHaveProperty("0777");
  });

  test("directories that no entry describes get 0755", async () => {
    process.umask(umask);
    const { tree } = await unpackEntries([file("a/b/f")]);
    process.umask(originalUmask);
    expect([modeOf(tree, "a"), modeOf(tree, "a/b")]).toEqual([0o755, 0o755]);
  });

  test.runIf(isRoot)("directories of the image's owners get the archive's modes", async () => {
    process.umask(umask);
    const { tree } = await unpackEntries(modes.map((mode) => directory(`d${mode}`, { mode })));
    process.umask(originalUmask);
    for (const mode of modes) expect(modeOf(tree, `d${mode}`)).toBe(mode);
  });
});

describe("setuid and setgid bits", () => {
  const entries = [
    file("bin/su", "", { mode: 0o4755 }),
    file("bin/wall", "", { mode: 0o2755 }),
    file("bin/both", "", { mode: 0o6711 }),
    directory("shared", { mode: 0o2775 }),
    file("plain", "", { mode: 0o755 }),
  ];

  test("are dropped, put on record and counted", async () => {
    const { tree, record } = await unpackEntries(entries);
    expect(pathsBelow(tree).filter((path) => (modeOf(tree, path) & 0o6000) !== 0)).toEqual([]);
    expect(modeOf(tree, "bin/su")).toBe(0o755);
    expect(record.onRecord.modes).toEqual({
      "4755": ["bin/su"],
      "2755": ["bin/wall"],
      "6711": ["bin/both"],
      "2775": ["shared"],
    });
    expect(record.warnings).toEqual([
      expect.objectContaining({ code: "SETUID_STRIPPED", count: 4, examples: expect.any(Array) }),
    ]);
  });

  test.each(["image", "squash"] as const)("are kept where asked for (%s)", async (owner) => {
    if (owner === "image" && !isRoot) return;
    const { tree, record } = await unpackEntries(entries, { policy: { owner, setuid: "keep" } });
    expect(modeOf(tree, "bin/su")).toBe(0o4755);
    expect(modeOf(tree, "bin/wall")).toBe(0o2755);
    expect(modeOf(tree, "shared")).toBe(0o2775);
    expect(record.warnings).toEqual([]);
    expect(record.onRecord.modes).toEqual({});
  });

  test.runIf(isRoot)("are kept on files of other owners, which chown(2) would strip", async () => {
    const { tree } = await unpackEntries(
      [
        file("s", "", { mode: 0o6755, uid: 12, gid: 34 }),
        directory("d", { mode: 0o6755, uid: 12, gid: 34 }),
      ],
      { policy: { owner: "image", setuid: "keep" } },
    );
    expect([modeOf(tree, "s"), modeOf(tree, "d")]).toEqual([0o6755, 0o6755]);
  });

  test("of a name that comes again without them are no longer on record", async () => {
    const { record } = await unpackEntries([
      file("a", "", { mode: 0o4755 }),
      file("a", "", { mode: 0o755 }),
      file("b", "", { mode: 0o4755 }),
      directory("b"),
      file("c", "", { mode: 0o4755 }),
      symlink("c", "x"),
    ]);
    expect(record.onRecord.modes).toEqual({});
  });
});

describe("owners", () => {
  const entries: readonly LayerEntry[] = [
    directory("home", { uid: 1000, gid: 100 }),
    file("home/f", "", { uid: 1000, gid: 100, mode: 0o600 }),
    symlink("home/l", "f", { uid: 1, gid: 2 }),
    file("root", "", { uid: 0, gid: 0 }),
    file("group", "", { uid: 0, gid: 42 }),
  ];

  test("are squashed to the caller's and kept on record", async () => {
    const { tree, record } = await unpackEntries(entries, { policy: squash });
    const owners = pathsBelow(tree).map((path) => lstatSync(`${tree}/${path}`).uid);
    expect(new Set(owners)).toEqual(new Set([process.geteuid?.()]));
    expect(record.onRecord.owners).toEqual({
      "1000:100": ["home", "home/f"],
      "1:2": ["home/l"],
      "0:42": ["group"],
    });
  });

  test.runIf(isRoot)("are the image's for root", async () => {
    const { tree, record } = await unpackEntries(entries);
    const owners = Object.fromEntries(
      pathsBelow(tree).map((path) => {
        const { uid, gid } = lstatSync(`${tree}/${path}`);
        return [path, `${uid}:${gid}`];
      }),
    );
    expect(owners).toEqual({
      home: "1000:100",
      "home/f": "1000:100",
      "home/l": "1:2",
      root: "0:0",
      group: "0:42",
    });
    expect(record.onRecord.owners).toEqual({});
  });

  test.runIf(isRoot)("a directory described twice gets the last owner, root too", async () => {
    const { tree } = await unpackEntries([
      directory("d", { uid: 5, gid: 6 }),
      directory("d", { uid: 0, gid: 0 }),
    ]);
    expect(statSync(`${tree}/d`)).toMatchObject({ uid: 0, gid: 0 });
  });

  test.runIf(isRoot)("may be as large as Linux allows", async () => {
    const { tree } = await unpackEntries([file("f", "", { uid: 2 ** 32 - 2, gid: 2 ** 31 })]);
    expect(statSync(`${tree}/f`)).toMatchObject({ uid: 2 ** 32 - 2, gid: 2 ** 31 });
  });

  test.each([
    ["a uid of 2^32 - 1, which means no change", { uid: 2 ** 32 - 1 }],
    ["a gid beyond 2^32", { gid: 2 ** 40 }],
    ["a negative uid", { uid: -1 }],
    ["a negative gid", { gid: -2 }],
  ])("%s is refused, with the entry's name", async (_, owner) => {
    for (const entry of [file("x", "", owner), directory("x", owner), symlink("x", "y", owner)]) {
      const error = await rejection(unpackEntries([entry]));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toContain("x");
    }
  });

  test("of any size stay on record when they are squashed", async () => {
    const { record } = await unpackEntries([file("f", "", { uid: 2 ** 32 - 2, gid: 2 ** 31 })], {
      policy: squash,
    });
    expect(record.onRecord.owners).toEqual({ "4294967294:2147483648": ["f"] });
  });
});

describe("what is on record", () => {
  const marked = { uid: 7, gid: 8, mode: 0o4711, xattrs: { "user.k": "v" } };
  const nothing = { owners: {}, modes: {}, xattrs: {} };
  const all = {
    owners: { "7:8": ["p"] },
    modes: { "4711": ["p"] },
    xattrs: { p: { "user.k": "dg==" } },
  };

  test.each([
    ["a file", [file("p", "old")]],
    ["a directory", [directory("p"), file("p/f", "")]],
    ["a directory that no entry describes", [file("p/f", "")]],
    ["a symbolic link", [symlink("p", "x")]],
    ["a device", [{ type: "3", name: "p" }]],
    ["a link to a lower layer's file", [hardLink("p", "lower")]],
  ] as const)("is that of a file which takes the place of %s", async (_, before) => {
    const { record } = await unpackEntries([...before, file("p", "new", marked)], {
      policy: squash,
    });
    expect(record.onRecord).toEqual(all);
  });

  test("is that of a symbolic link which takes the place of a directory", async () => {
    const { record } = await unpackEntries(
      [file("p/f", ""), symlink("p", "x", { uid: 7, gid: 8, xattrs: { "user.k": "v" } })],
      { policy: squash },
    );
    expect(record.onRecord).toEqual({ ...all, modes: {} });
  });

  test.each([
    ["a file", [file("p", "new")]],
    ["a symbolic link", [symlink("p", "x")]],
    ["a directory", [directory("p")]],
    ["a device", [{ type: "3", name: "p" }]],
    ["a hard link to a lower layer's file", [hardLink("p", "lower")]],
    ["a hard link to another file", [file("o", ""), hardLink("p", "o")]],
    ["a directory that no entry describes", [file("p/f", "")]],
  ] as const)("is gone when %s takes a file's place", async (_, after) => {
    const { record } = await unpackEntries([file("p", "old", marked), ...after], {
      policy: squash,
    });
    expect(record.onRecord).toEqual(nothing);
  });

  test("of all below a directory is gone when something takes its place", async () => {
    const { record } = await unpackEntries(
      [
        directory("p", marked),
        file("p/a/b", "", marked),
        file("p.x", "", marked),
        symlink("p", "x"),
      ],
      { policy: squash },
    );
    expect(record.onRecord.owners).toEqual({ "7:8": ["p.x"] });
    expect(Object.keys(record.onRecord.xattrs)).toEqual(["p.x"]);
  });
});

describe("extended attributes", () => {
  const capability = { "security.capability": "\x01\x00\x00\x02\xff" };

  test("are on record to the byte, whether they are on disk or not", async () => {
    const { record } = await unpackEntries([
      file("f", "", { xattrs: { ...capability, "user.a": "=" } }),
      directory("d", { xattrs: { "user.empty": "x" } }),
    ]);
    expect(record.onRecord.xattrs).toEqual({
      f: {
        "security.capability": Buffer.from([1, 0, 0, 2, 255]).toString("base64"),
        "user.a": Buffer.from("=").toString("base64"),
      },
      d: { "user.empty": "eA==" },
    });
  });

  test("of users are on disk, also on read-only files, and not counted", async (context) => {
    requireAttributes(context);
    const { tree, record } = await unpackEntries([
      directory("/", { xattrs: { "user.root": "r" } }),
      directory("d", { mode: 0o555, mtime: 5, xattrs: { "user.d": "\0\xff" } }),
      file("d/f", "content", { mode: 0o444, mtime: 6, xattrs: { "user.f": "\n", "user.e": "" } }),
      file("d/plain"),
    ]);
    expect(attributesAt(tree)).toEqual({ "user.root": "r" });
    expect(attributesAt(`${tree}/d`)).toEqual({ "user.d": "\0\xff" });
    expect(attributesAt(`${tree}/d/f`)).toEqual({ "user.e": "", "user.f": "\n" });
    expect(attributesAt(`${tree}/d/plain`)).toEqual({});
    expect([modeOf(tree, "d/f"), mtimeOf(tree, "d/f"), mtimeOf(tree, "d")]).toEqual([0o444, 6, 5]);
    expect(record.warnings).toEqual([]);
  });

  test("that are not on disk are counted once for each file", async (context) => {
    requireAttributes(context);
    const big = { "user.big": "x".repeat(65_537), "user.long": "1" };
    const { tree, record } = await unpackEntries([
      directory("d", { xattrs: { ...capability, "user.a": "1" } }),
      file("f", "", { xattrs: { ...capability, "trusted.x": "1", "user.a": "1" } }),
      file("big", "content", { xattrs: big }),
      symlink("l", "f", { xattrs: { "user.a": "1" } }),
      file("whole", "", { xattrs: { "user.a": "1" } }),
    ]);
    expect(record.warnings).toEqual([
      expect.objectContaining({
        code: "XATTRS_NOT_KEPT",
        count: 4,
        examples: ["f", "big", "l", "d"],
      }),
    ]);
    for (const path of ["d", "f", "whole"]) {
      expect(attributesAt(`${tree}/${path}`)).toEqual({ "user.a": "1" });
    }
    expect(attributesAt(`${tree}/big`)).toEqual({ "user.long": "1" });
    expect(readFileSync(`${tree}/big`, "utf8")).toBe("content");
    expect(Object.keys(record.onRecord.xattrs).sort()).toEqual(["big", "d", "f", "l", "whole"]);
  });

  test("of a name that comes again are those of the last entry alone", async (context) => {
    requireAttributes(context);
    const old = { xattrs: { "user.old": "1" } };
    const { tree, record } = await unpackEntries([
      directory("d", old),
      directory("d", { xattrs: { "user.new": "2" } }),
      directory("bare", old),
      directory("bare"),
      file("f", "", old),
      file("f"),
      file("f.d", "", old),
      directory("f.d"),
      file("implied", "", old),
      file("implied/f"),
    ]);
    expect(attributesAt(`${tree}/d`)).toEqual({ "user.new": "2" });
    for (const path of ["bare", "f", "f.d", "implied"]) {
      expect(attributesAt(`${tree}/${path}`)).toEqual({});
    }
    expect(Object.keys(record.onRecord.xattrs)).toEqual(["d"]);
  });

  test("are those of all names of a file", async (context) => {
    requireAttributes(context);
    const { tree } = await unpackEntries([
      file("a", "", { xattrs: { "user.a": "1" } }),
      hardLink("b", "a"),
    ]);
    expect(attributesAt(`${tree}/b`)).toEqual({ "user.a": "1" });
  });

  test("need no name that is UTF-8, and no short path", async (context) => {
    requireAttributes(context);
    const deep = Array.from({ length: 20 }, () => "d".repeat(255)).join("/");
    const marked = { xattrs: { "user.a": "1" } };
    const layer = await unpackEntries([
      directory("caf\xe9", marked),
      file("caf\xe9/\xff", "", marked),
      directory(deep, marked),
      file(`${deep}/f`, "", marked),
    ]);
    expect(layer.record.warnings).toEqual([]);
    for (const root of [layer.tree, assembleLayers([layer])]) {
      for (const path of ["caf\xe9", "caf\xe9/\xff", deep, `${deep}/f`]) {
        const fd = openSync(pathBelow(root, path), "r");
        expect(attributesAt(`/proc/self/fd/${fd}`)).toEqual({ "user.a": "1" });
        closeSync(fd);
      }
    }
  });
});

describe("times", () => {
  test.each([
    ["1970", 0],
    ["a usual one", 1_700_000_000],
    ["with a fraction", 1_700_000_000.25],
    ["with microseconds", 1_700_000_000.123456],
    ["after 2038", 4_000_000_000],
    ["before 1970", -86_400],
    ["before 1970, with a fraction", -1.5],
    ["before 1970, by less than a second", -0.25],
  ])("%s is set on files, directories and links", async (_, mtime) => {
    const { tree } = await unpackEntries([
      directory("d", { mtime }),
      file("d/f", "content", { mtime }),
      symlink("d/l", "f", { mtime }),
      file("d/sub/later", "", { mtime: 1 }),
    ]);
    const found = ["d", "d/f", "d/l"].map((path) => mtimeOf(tree, path));
    expect(found).toEqual([mtime, mtime, mtime]);
  });

  test.each([1e11, 8e15, -1e14])("%d, beyond what disks hold, is no failure", async (mtime) => {
    const { tree } = await unpackEntries([file("f", "", { mtime }), directory("d", { mtime })]);
    // The disk sets it to its own limit, which is on the same side of now.
    expect(Math.sign(mtimeOf(tree, "f"))).toBe(Math.sign(mtime));
    expect(mtimeOf(tree, "d")).toBe(mtimeOf(tree, "f"));
  });

  test("of directories that no entry describes are 1970, the root's too", async () => {
    const { tree } = await unpackEntries([file("a/b/f", "", { mtime: 5 })]);
    expect([mtimeOf(tree), mtimeOf(tree, "a"), mtimeOf(tree, "a/b")]).toEqual([0, 0, 0]);
  });

  test("of directories stand also where they are described before and after their content", async () => {
    const { tree } = await unpackEntries([
      directory("/", { mtime: 3 }),
      directory("before", { mtime: 10 }),
      file("before/f"),
      file("after/f"),
      directory("after", { mtime: 20 }),
      file("after/g"),
    ]);
    expect([mtimeOf(tree), mtimeOf(tree, "before"), mtimeOf(tree, "after")]).toEqual([3, 10, 20]);
  });
});

describe("a squashed layer", () => {
  test("can be removed by its owner whatever the modes of its directories", async () => {
    const into = scratchDirectory();
    const inner = `${into}/inner`;
    mkdirSync(inner);
    const { tree } = await unpackEntries(
      [directory("nix", { mode: 0o555 }), directory("nix/store", { mode: 0 }), file("nix/store/f")],
      { policy: squash, into: inner },
    );
    const owner = pathsBelow(tree).filter((path) => lstatSync(`${tree}/${path}`).isDirectory());
    for (const path of owner) expect(modeOf(tree, path) & 0o700).toBe(0o700);
    expect(owner).toEqual(["nix", "nix/store"]);
  });
});

test("the policy of these tests is the one that this user has by default", () => {
  expect(usualPolicy.owner).toBe(isRoot ? "image" : "squash");
});
