import { describe, expect, test } from "vitest";
import {
  directory,
  file,
  type LayerEntry,
  symlink,
  unpackEntries,
  whiteout,
} from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { contents, modeOf, pathsBelow } from "../support/tree-contents.js";

async function unpacked(...entries: readonly LayerEntry[]) {
  return await unpackEntries(entries);
}

/** What a layer of these entries holds. */
async function contentsOf(...entries: readonly LayerEntry[]) {
  return contents((await unpacked(...entries)).tree);
}

describe("kinds of entries", () => {
  test("files, directories and symbolic links stand as the archive says", async () => {
    expect(
      await contentsOf(
        directory("d"),
        file("d/f", "hello"),
        file("empty", ""),
        symlink("d/up", "../empty"),
        symlink("dangling", "/no/such/place"),
        symlink("loop", "loop"),
      ),
    ).toEqual({
      d: "/",
      "d/f": "hello",
      "d/up": "-> ../empty",
      dangling: "-> /no/such/place",
      empty: "",
      loop: "-> loop",
    });
  });

  test("content of every length around a block is kept to the byte", async () => {
    const entries = [1, 511, 512, 513, 1024, 70_000, 300_001].map((length) =>
      file(`f${length}`, Buffer.alloc(length, `${length}-`)),
    );
    const { tree, record } = await unpacked(...entries);
    const found = contents(tree);
    for (const { name, content } of entries) expect(found[name]).toBe(String(content));
    expect(record.unpackedSize).toBe(1 + 511 + 512 + 513 + 1024 + 70_000 + 300_001);
    expect(record.entries).toBe(7);
  });

  test("what is recorded of an empty layer is nothing but the root that no entry describes", async () => {
    const { tree, record } = await unpacked();
    expect(contents(tree)).toEqual({});
    expect(record).toEqual({
      schemaVersion: 1,
      replaced: [],
      skipped: [],
      unpackedSize: 0,
      entries: 0,
      implied: [""],
      whiteouts: [],
      opaque: [],
      links: [],
      onRecord: { owners: {}, modes: {}, xattrs: {} },
      warnings: [],
    });
  });

  test.each(["/", ".", "./", "//", "/."])("the root may be described as %j", async (name) => {
    const { tree, record } = await unpacked(directory(name, { mode: 0o750 }), file("f"));
    expect(record.implied).toEqual([]);
    expect(modeOf(tree)).toBe(0o750);
  });

  test.each([
    ["a symbolic link", symlink("./", "/etc")],
    ["a hard link", { type: "1", name: "/.", linkName: "f" }],
    ["a fifo", { type: "6", name: "." }],
  ] as const)("the root can't be %s", async (_kind, entry) => {
    const error = await rejection(unpacked(file("f"), entry));
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain("the root of the image");
  });

  test("a symbolic link to nothing is refused", async () => {
    expect((await rejection(unpacked(symlink("l", "")))).code).toBe("IMAGE_INVALID");
  });

  test.each([
    ["a character device", "3"],
    ["a block device", "4"],
    ["a fifo", "6"],
  ] as const)("%s is not made, but counted, and hides what lower layers have", async (_, type) => {
    const { tree, record } = await unpacked(directory("dev"), { type, name: "dev/x", mode: 0o666 });
    expect(contents(tree)).toEqual({ dev: "/" });
    expect(record.whiteouts).toEqual(["dev/x"]);
    expect(record.warnings).toEqual([
      expect.objectContaining({ code: "SPECIAL_SKIPPED", count: 1, examples: ["dev/x"] }),
    ]);
  });

  test("many devices are one warning with a few examples", async () => {
    const names = Array.from({ length: 9 }, (_, i) => `dev/tty${i}`);
    const { record } = await unpacked(...names.map((name) => ({ type: "3", name }) as const));
    expect(record.warnings).toEqual([
      expect.objectContaining({ count: 9, examples: names.slice(0, 5) }),
    ]);
  });
});

describe("names", () => {
  test("absolute names, names with ./ and with slashes at the end are one", async () => {
    expect(
      await contentsOf(directory("/a/"), file("/a/f", "1"), file("./a/g", "2"), file("a//h", "3")),
    ).toEqual({ a: "/", "a/f": "1", "a/g": "2", "a/h": "3" });
  });

  test.each(["..", "../f", "a/../../f", "/../f"])(
    "%j is refused, and says which layer has it",
    async (name) => {
      const error = await rejection(unpacked(file("ok"), file(name)));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toMatch(/^layer sha256:[0-9a-f]{64}: /);
    },
  );

  test.each([
    ["bytes that are no UTF-8", "caf\xe9\xff/\x80"],
    ["UTF-8", Buffer.from("grün/日本/🦊", "utf8").toString("latin1")],
    ["a line feed and an escape", "a\nb\x1b[2J/c\rd"],
    ["a backslash and quotes", "a\\b'c\"d"],
    ["a leading dash and blanks", "-rf / /  x "],
    ["255 bytes", "n".repeat(255)],
    ["255 bytes that are no UTF-8", "\xff".repeat(255)],
    ["three dots", ".../...."],
  ])("names of %s stay as they are", async (_, name) => {
    const { tree } = await unpacked(file(name, "x"), symlink("l", name));
    expect(contents(tree)).toMatchObject({ [name]: "x", l: `-> ${name}` });
  });

  test("a link target's own spelling stays as it is", async () => {
    const target = "//a/.././b//";
    expect(await contentsOf(symlink("l", target))).toEqual({ l: `-> ${target}` });
  });

  test.each([
    ["a file", file("n".repeat(256))],
    ["a directory", directory(`d/${"n".repeat(256)}`)],
    ["a parent", file(`${"n".repeat(300)}/f`)],
    ["a link target", symlink("l", "n".repeat(5000))],
  ])("a name too long for the disk is refused: %s", async (_, entry) => {
    const error = await rejection(unpacked(entry));
    expect(error.code).toBe("IMAGE_UNSUPPORTED");
    expect(error.message).toContain("too long");
  });

  test("a path of 300 directories is made", async () => {
    const path = Array.from({ length: 300 }, (_, i) => `d${i}`).join("/");
    const { tree } = await unpacked(file(`${path}/f`, "deep"));
    expect(contents(tree)[`${path}/f`]).toBe("deep");
  });

  test("a path longer than the kernel takes at once is made, and more beside it", async () => {
    const parent = Array.from({ length: 60 }, () => "n".repeat(100)).join("/");
    const { tree } = await unpacked(
      directory(parent, { mode: 0o711 }),
      file(`${parent}/f`, "deep"),
      symlink(`${parent}/l`, "f"),
      { type: "1", name: `${parent}/h`, linkName: `${parent}/f` },
      file(`${parent}/f`, "deeper"),
    );
    const found = contents(tree);
    expect([found[`${parent}/f`], found[`${parent}/l`]]).toEqual(["deeper", "-> f"]);
    expect(found[`${parent}/h`]).toBe("deep");
    expect(modeOf(tree, parent)).toBe(0o711);
  });

  test("names that mean something to JavaScript are ordinary names", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty/valueOf"];
    const { tree } = await unpacked(...names.map((name) => file(name)));
    expect(pathsBelow(tree)).toEqual(expect.arrayContaining(names));
  });
});

describe("parents", () => {
  test("missing ones are made, and put on record as described by nobody", async () => {
    const { tree, record } = await unpacked(file("a/b/c/f"), directory("a/b"), symlink("x/l", "y"));
    expect(contents(tree)).toMatchObject({ a: "/", "a/b": "/", "a/b/c": "/", x: "/" });
    expect([...record.implied].sort()).toEqual(["", "a", "a/b/c", "x"]);
    expect([modeOf(tree, "a"), modeOf(tree, "x")]).toEqual([0o755, 0o755]);
  });

  test("a whiteout makes none", async () => {
    const { tree, record } = await unpacked(whiteout("a/b/c"));
    expect(contents(tree)).toEqual({});
    expect(record.whiteouts).toEqual(["a/b/c"]);
  });

  test("a file in the way gives way to a directory", async () => {
    const { tree, record } = await unpacked(file("a", "old", { mode: 0o600 }), file("a/f", "new"));
    expect(contents(tree)).toEqual({ a: "/", "a/f": "new" });
    expect(record.implied).toContain("a");
  });

  test.each([
    ["relative", symlink("l", "d"), "d/f"],
    ["relative, through its own directory", symlink("l", "./d/../d/."), "d/f"],
    ["absolute", symlink("l", "/d"), "d/f"],
    ["with too many ..", symlink("l", "../../../d"), "d/f"],
    ["to the root", symlink("l", "/"), "f"],
    ["to a directory below", symlink("l", "d/sub"), "d/sub/f"],
  ])("a %s link of the same layer is followed inside the tree", async (_, link, place) => {
    const found = await contentsOf(directory("d"), directory("d/sub"), link, file("l/f", "here"));
    expect(found).toMatchObject({ l: `-> ${link.linkName}`, [place]: "here" });
  });

  test("links are followed from the directory that they stand in", async () => {
    expect(
      await contentsOf(
        directory("a/b"),
        directory("c"),
        symlink("a/b/l", "../../c"),
        file("a/b/l/f"),
      ),
    ).toMatchObject({ "c/f": "a/b/l/f" });
  });

  test("a chain of links is followed to its end", async () => {
    const links = Array.from({ length: 39 }, (_, i) => symlink(`l${i}`, `l${i + 1}`));
    expect(
      await contentsOf(...links, symlink("l39", "/d"), directory("d"), file("l0/f", "end")),
    ).toMatchObject({ "d/f": "end" });
  });

  test("a dangling link's target is made, as a directory that nobody describes", async () => {
    const { tree, record } = await unpacked(symlink("l", "/x/y"), file("l/f", "here"));
    expect(contents(tree)).toEqual({ l: "-> /x/y", x: "/", "x/y": "/", "x/y/f": "here" });
    expect([...record.implied].sort()).toEqual(["", "x", "x/y"]);
  });

  test.each([
    ["itself", [symlink("l", "l")]],
    ["each other", [symlink("l", "m"), symlink("m", "/l")]],
    ["what lies below it", [symlink("l", "l/x")]],
    [
      "a chain of more than 40",
      Array.from({ length: 50 }, (_, i) => symlink(i ? `l${i}` : "l", `l${i + 1}`)),
    ],
  ])("a loop of links is refused: to %s", async (_, links) => {
    const error = await rejection(unpacked(...links, file("l/f")));
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain("too many symbolic links");
  });
});

describe("whiteouts and opaque markers", () => {
  test("are put on record with the directory that they speak of, and are no files", async () => {
    const { tree, record } = await unpacked(
      directory("d"),
      file("d/.wh..wh..opq", ""),
      file("d/.wh.gone", ""),
      file(".wh.top", "ignored content"),
      file("./.wh..wh..opq", ""),
      file(".wh..wh.plnk", ""),
      directory("d/.wh..wh.orph"),
      directory("d/.wh.dir"),
    );
    expect(contents(tree)).toEqual({ d: "/" });
    expect([...record.whiteouts].sort()).toEqual(["d/dir", "d/gone", "top"]);
    expect([...record.opaque].sort()).toEqual(["", "d"]);
  });

  test.each([".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh..."])(
    "%j is refused: a whiteout of nothing",
    async (name) => {
      expect((await rejection(unpacked(file(name)))).code).toBe("IMAGE_INVALID");
    },
  );

  test("do not touch what the same layer has, before or after them", async () => {
    expect(
      await contentsOf(
        file("d/before"),
        file("d/.wh.before", ""),
        file("d/.wh.after", ""),
        file("d/after"),
        file("d/.wh..wh..opq", ""),
      ),
    ).toEqual({ d: "/", "d/before": "d/before", "d/after": "d/after" });
  });
});

describe("an entry that comes twice", () => {
  const kinds = {
    file: (content: string): LayerEntry => file("p", content, { mode: 0o640, mtime: 5 }),
    directory: (): LayerEntry => directory("p", { mode: 0o750, mtime: 5 }),
    symlink: (content: string): LayerEntry => symlink("p", content, { mtime: 5 }),
    "hard link": (): LayerEntry => ({ type: "1", name: "p", linkName: "other" }),
  };
  const expected = {
    file: "second",
    directory: "/",
    symlink: "-> second",
    "hard link": "other",
  };
  const names = ["file", "directory", "symlink", "hard link"] as const;
  const pairs = names.flatMap((first) => names.map((second) => [first, second] as const));

  test.each(pairs)("first a %s, then a %s: the last wins", async (first, second) => {
    const { tree, record } = await unpacked(
      file("other"),
      kinds[first]("first"),
      kinds[second]("second"),
    );
    expect(contents(tree)).toEqual({ other: "other", p: expected[second] });
    expect(record.links).toEqual([]);
    expect(record.implied).toEqual([""]);
    if (second === "file") expect(modeOf(tree, "p")).toBe(0o640);
    if (second === "directory") expect(modeOf(tree, "p")).toBe(0o750);
  });

  test.each(names)("a directory with content, then a %s: the content goes", async (second) => {
    const found = await contentsOf(
      file("other"),
      directory("p"),
      file("p/f"),
      file("p/sub/g"),
      kinds[second]("second"),
    );
    const kept = second === "directory" ? { "p/f": "p/f", "p/sub": "/", "p/sub/g": "p/sub/g" } : {};
    expect(found).toEqual({ other: "other", p: expected[second], ...kept });
  });

  test("what replaced a directory is not on record as implied, nor what lay below", async () => {
    const { record } = await unpacked(file("p/sub/g"), file("p", "now a file"));
    expect(record.implied).toEqual([""]);
  });

  test("a directory that was replaced can come back empty", async () => {
    expect(await contentsOf(file("p/f"), file("p"), directory("p"), file("p/g"))).toEqual({
      p: "/",
      "p/g": "p/g",
    });
  });

  test("a directory's last description counts", async () => {
    const { tree } = await unpacked(
      directory("d", { mode: 0o700 }),
      file("d/f"),
      directory("d", { mode: 0o751, mtime: 99 }),
    );
    expect(modeOf(tree, "d")).toBe(0o751);
    expect(contents(tree)).toEqual({ d: "/", "d/f": "d/f" });
  });

  test("a link that is replaced by a directory is no longer followed", async () => {
    expect(
      await contentsOf(directory("d"), symlink("l", "d"), file("l/1"), directory("l"), file("l/2")),
    ).toEqual({ d: "/", "d/1": "l/1", l: "/", "l/2": "l/2" });
  });
});
