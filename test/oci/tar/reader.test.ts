import { describe, expect, it } from "vitest";
import { StageError } from "../../../src/errors.js";
import { ChunkSource } from "../../../src/extract/chunk-source.js";
import type { TarSource } from "../../../src/oci/tar/reader.js";
import { refusal } from "../../support/refusal.js";
import {
  archiveOf,
  endOfArchive,
  gnuLong,
  headerBlock,
  member,
  pax,
  paxMember,
} from "../../support/tar-blocks.js";
import { memorySource, readEntries, readMembers } from "../../support/tar-members.js";

const noUtf8 = Buffer.from("d\xefr/\xff\xfe\x80", "latin1");

function only(...members: readonly Buffer[]) {
  const entries = readEntries(archiveOf(...members));
  expect(entries).toHaveLength(1);
  const [entry] = entries;
  if (!entry) throw new Error("no entry");
  return entry;
}

describe("TarReader, on entries", () => {
  it.each([
    { flag: "0", type: "file" },
    { flag: "\0", type: "file" },
    { flag: "7", type: "file" },
    { flag: "1", type: "hardlink" },
    { flag: "2", type: "symlink" },
    { flag: "3", type: "character device" },
    { flag: "4", type: "block device" },
    { flag: "5", type: "directory" },
    { flag: "6", type: "fifo" },
  ])("takes type flag $flag for a $type", ({ flag, type }) => {
    expect(only(headerBlock({ type: flag }))).toMatchObject({ type, name: "file", size: 0 });
  });

  it.each(["0", "\0"])("takes a file (%j) whose name ends in a slash for a directory", (type) => {
    expect(only(headerBlock({ name: "etc/", type }))).toMatchObject({ type: "directory" });
  });

  it.each(["0", "\0", "7"])(
    "passes over the content of a file (%j) that is a directory, as other readers do",
    (type) => {
      const hidden = headerBlock({ name: "hidden" });
      const bytes = archiveOf(member({ name: "d/", type }, hidden), headerBlock({ name: "after" }));
      expect(readEntries(bytes).map((entry) => entry.name)).toEqual(["d/", "after"]);
    },
  );

  it.each(["1", "2", "3", "4", "5", "6"])(
    "takes no content after type %s, whatever its size says",
    (type) => {
      const bytes = archiveOf(headerBlock({ type, size: 512 }), headerBlock({ name: "after" }));
      const entries = readEntries(bytes);
      expect(entries.map((entry) => entry.name)).toEqual(["file", "after"]);
      expect(entries[0]?.size).toBe(0);
    },
  );

  it("gives the content of each file, in pieces of any size", () => {
    const contents = [0, 1, 511, 512, 513, 5000].map((size) => Buffer.alloc(size, size % 251));
    const bytes = archiveOf(...contents.map((content, i) => member({ name: `f${i}` }, content)));
    for (const piece of [1, 7, 512, 100_000]) {
      const found = readMembers(memorySource(bytes, piece));
      expect(found.map(({ content }) => content)).toEqual(contents);
    }
  });

  it("takes owners by their numbers, whatever their names are", () => {
    const names = { userName: "root", groupName: "root" };
    const numbered = headerBlock({ uid: 1000, gid: 100, ...names });
    expect(only(numbered)).toMatchObject({ uid: 1000, gid: 100 });
    const named = paxMember({ uname: "root", gname: "root" });
    expect(only(named, numbered)).toMatchObject({ uid: 1000, gid: 100 });
  });

  it("passes over what was not read of a content", () => {
    const bytes = archiveOf(member({ name: "a" }, "x".repeat(1000)), member({ name: "b" }, "y"));
    expect(readEntries(bytes).map((entry) => entry.name)).toEqual(["a", "b"]);
  });

  it.each(["S", "V", "M", "N", "A", "X", "D", "\x1b", "\xff"])(
    "refuses an entry of type %j and names it",
    (type) => {
      const block = headerBlock({ name: "odd\x1b[2J", type });
      const error = refusal(() => readEntries(archiveOf(block)));
      expect(error.code).toBe("IMAGE_UNSUPPORTED");
      expect(error.message).toContain("odd\\x1b[2J: ");
    },
  );

  it("ends at two blocks of zeros, whatever follows, or at one where nothing follows", () => {
    const bytes = Buffer.concat([headerBlock(), endOfArchive, headerBlock({ name: "after" })]);
    expect(readEntries(bytes)).toHaveLength(1);
    expect(readEntries(Buffer.concat([headerBlock(), Buffer.alloc(512)]))).toHaveLength(1);
  });

  it("refuses an archive that goes on after one block of zeros: others would read more of it", () => {
    const zeros = Buffer.alloc(512);
    const bytes = Buffer.concat([headerBlock(), zeros, headerBlock({ name: "after" })]);
    expect(refusal(() => readEntries(bytes)).code).toBe("IMAGE_INVALID");
  });

  it("keeps of a global header what is short and can hold for all entries", () => {
    const bytes = archiveOf(
      paxMember({ mtime: "7", "SCHILY.xattr.user.x": "v".repeat(1000) }, "g"),
      headerBlock({ name: "a" }),
    );
    expect(readEntries(bytes)).toMatchObject([{ name: "a", mtime: 7, xattrs: undefined }]);
  });

  it("reads an empty archive, and no bytes at all, as no entries", () => {
    expect(readEntries(endOfArchive)).toEqual([]);
    expect(readEntries(Buffer.alloc(0))).toEqual([]);
  });

  it.each([
    { what: "text", bytes: Buffer.from("hello ".repeat(100)) },
    {
      what: "an archive after a stray byte",
      bytes: Buffer.concat([Buffer.from("x"), archiveOf(headerBlock())]),
    },
  ])("refuses $what", ({ bytes }) => {
    expect(refusal(() => readEntries(bytes))).toMatchObject({ code: "IMAGE_INVALID" });
  });

  it.each([
    { what: "negative", size: Buffer.from("ff".repeat(12), "hex") },
    { what: "beyond all disks", size: Buffer.from(`80${"ff".repeat(11)}`, "hex") },
    {
      what: "not exact as a number",
      size: Buffer.from(`80${"00".repeat(4)}20${"00".repeat(5)}01`, "hex"),
    },
  ])("refuses a size that is $what, and names the entry", ({ size }) => {
    const error = refusal(() => readEntries(archiveOf(headerBlock({ name: "big", size }))));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toMatch(/^big: a size of .* is impossible$/);
  });
});

describe("TarReader, on PAX headers", () => {
  it("applies every record that overrides a field", () => {
    const entry = only(
      paxMember({
        path: "a/very/long/path",
        linkpath: "elsewhere",
        uid: "5000000",
        gid: "6000000",
        mtime: "1700000000.25",
      }),
      headerBlock({ name: "short", linkName: "x", type: "2" }),
    );
    expect(entry).toMatchObject({
      name: "a/very/long/path",
      linkName: "elsewhere",
      uid: 5_000_000,
      gid: 6_000_000,
      mtime: 1_700_000_000.25,
    });
  });

  it("keeps paths and link targets whose bytes are no UTF-8", () => {
    const entry = only(paxMember({ path: noUtf8, linkpath: noUtf8 }), headerBlock({ type: "2" }));
    expect(Buffer.from(entry.name, "latin1")).toEqual(noUtf8);
    expect(Buffer.from(entry.linkName, "latin1")).toEqual(noUtf8);
  });

  it("takes the size of the content from the record", () => {
    const content = Buffer.from("x".repeat(600));
    const found = readMembers(
      memorySource(
        archiveOf(
          paxMember({ size: "600" }),
          member({ name: "a", size: 0 }, content),
          headerBlock({ name: "b" }),
        ),
      ),
    );
    expect(found.map(({ entry, content: bytes }) => [entry.name, bytes.length])).toEqual([
      ["a", 600],
      ["b", 0],
    ]);
  });

  it("does not let a size record give content to a directory", () => {
    const bytes = archiveOf(
      paxMember({ size: "512" }),
      headerBlock({ name: "d", type: "5" }),
      headerBlock({ name: "after" }),
    );
    expect(readEntries(bytes).map((entry) => entry.name)).toEqual(["d", "after"]);
  });

  it.each(["-1", "1.5", "9007199254740993", "99999999999999999999"])(
    "refuses a size of %s",
    (size) => {
      const error = refusal(() => readEntries(archiveOf(paxMember({ size }), headerBlock())));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toMatch(/^file: /);
    },
  );

  it.each(["uid", "gid"])("refuses a %s that is not one, as the kernel would", (keyword) => {
    for (const value of ["-1", "1.5", "4294967296", "99999999999999999999"]) {
      const bytes = archiveOf(paxMember({ [keyword]: value }), headerBlock());
      expect(refusal(() => readEntries(bytes))).toMatchObject({ code: "IMAGE_INVALID" });
    }
  });

  it("applies a header to the next entry alone", () => {
    const bytes = archiveOf(paxMember({ path: "p" }), headerBlock(), headerBlock());
    expect(readEntries(bytes).map((entry) => entry.name)).toEqual(["p", "file"]);
  });

  it("applies a global header from there on, below an entry's own", () => {
    const bytes = archiveOf(
      headerBlock({ name: "a", uid: 1 }),
      paxMember({ uid: "7", gid: "8", comment: "0123456789" }, "g"),
      headerBlock({ name: "b", uid: 1 }),
      paxMember({ uid: "9" }),
      headerBlock({ name: "c", uid: 1 }),
      paxMember({ uid: "" }),
      headerBlock({ name: "d", uid: 1 }),
      paxMember({ gid: "10" }, "g"),
      headerBlock({ name: "e", uid: 1 }),
    );
    expect(readEntries(bytes).map(({ name, uid, gid }) => [name, uid, gid])).toEqual([
      ["a", 1, 0],
      ["b", 7, 8],
      ["c", 9, 8],
      ["d", 1, 8],
      ["e", 7, 10],
    ]);
  });

  it("gives extended attributes, and none where there are none", () => {
    const entry = only(
      paxMember({ "SCHILY.xattr.security.capability": Buffer.from([1, 0, 0, 2]), path: "x" }),
      headerBlock(),
    );
    expect(entry.xattrs).toEqual(new Map([["security.capability", "\x01\0\0\x02"]]));
    expect(only(paxMember({ path: "x" }), headerBlock()).xattrs).toBeUndefined();
    expect(only(headerBlock()).xattrs).toBeUndefined();
  });

  it("passes over records for Windows, and those that it does not know", () => {
    const records = {
      "MSWINDOWS.fileattr": "32",
      "MSWINDOWS.rawsd": "AQAEgBQAAAAkAAAAAAAAADAAAAA=",
      "LIBARCHIVE.creationtime": "1700000000.5",
      "org.example.keyword": "value",
    };
    expect(only(paxMember(records), headerBlock())).toEqual(only(headerBlock()));
  });

  it.each(["path", "linkpath"])("refuses a NUL in %s", (keyword) => {
    const bytes = archiveOf(paxMember({ [keyword]: "a\0b" }), headerBlock({ type: "2" }));
    expect(refusal(() => readEntries(bytes)).message).toContain(keyword);
  });

  it("refuses malformed records", () => {
    const bytes = archiveOf(paxMember(Buffer.from("11 path=x\n")), headerBlock());
    expect(refusal(() => readEntries(bytes))).toMatchObject({ code: "IMAGE_INVALID" });
  });

  it.each(["GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize"])(
    "refuses a sparse file by its record %s",
    (keyword) => {
      const bytes = archiveOf(paxMember({ [keyword]: "1" }), headerBlock({ name: "holes" }));
      expect(refusal(() => readEntries(bytes))).toMatchObject({
        code: "IMAGE_UNSUPPORTED",
        message: "holes: sparse files in tar archives are not supported",
      });
    },
  );

  it("refuses a sparse file by its type", () => {
    const bytes = archiveOf(headerBlock({ name: "holes", type: "S", format: "gnu" }));
    expect(refusal(() => readEntries(bytes)).message).toContain("holes: sparse");
  });

  it("does not read an extended header of any size into memory", () => {
    for (const type of ["x", "g", "L", "K"]) {
      const bytes = archiveOf(headerBlock({ type, size: 0o77777777777 }));
      expect(refusal(() => readEntries(bytes))).toMatchObject({
        code: "IMAGE_INVALID",
        message: "an extended header of 8589934591 bytes",
      });
    }
  });

  it.each([
    { what: "a PAX header", bytes: paxMember({ path: "p" }) },
    { what: "a GNU long name", bytes: gnuLong("L", "p") },
    { what: "a GNU long link", bytes: gnuLong("K", "p") },
  ])("refuses an archive that ends after $what", ({ bytes }) => {
    for (const end of [Buffer.alloc(0), endOfArchive]) {
      const error = refusal(() => readEntries(Buffer.concat([bytes, end])));
      expect(error.message).toBe("the tar archive is truncated");
    }
  });

  it("reads an archive that ends after a global header", () => {
    expect(readEntries(archiveOf(paxMember({ comment: "x" }, "g")))).toEqual([]);
  });
});

describe("TarReader, on GNU's long names", () => {
  const long = `${"d/".repeat(300)}f`;

  it("applies names and link targets in either order", () => {
    const block = headerBlock({ name: long.slice(0, 100), type: "2", format: "gnu" });
    for (const extensions of [
      [gnuLong("L", long), gnuLong("K", "t".repeat(200))],
      [gnuLong("K", "t".repeat(200)), gnuLong("L", long)],
    ]) {
      expect(only(...extensions, block)).toMatchObject({ name: long, linkName: "t".repeat(200) });
    }
  });

  it("keeps bytes that are no UTF-8", () => {
    const entry = only(gnuLong("L", noUtf8), headerBlock());
    expect(Buffer.from(entry.name, "latin1")).toEqual(noUtf8);
  });

  it("takes a name that has no NUL at its end", () => {
    const extension = member({ name: "././@LongLink", type: "L" }, long);
    expect(only(extension, headerBlock()).name).toBe(long);
  });

  it("gives way to a PAX path", () => {
    const entry = only(gnuLong("L", "gnu"), paxMember({ path: "pax" }), headerBlock());
    expect(entry.name).toBe("pax");
  });

  it("applies to the next entry alone", () => {
    const bytes = archiveOf(gnuLong("L", long), headerBlock(), headerBlock());
    expect(readEntries(bytes).map((entry) => entry.name)).toEqual([long, "file"]);
  });
});

describe("TarReader, on truncated and damaged archives", () => {
  const whole = archiveOf(
    member({ name: "a" }, "a".repeat(700)),
    paxMember({ comment: "x" }, "g"),
    Buffer.concat([paxMember({ path: "b".repeat(120) }), member({}, "b".repeat(512))]),
    Buffer.concat([gnuLong("L", "c".repeat(600)), headerBlock({ type: "5" })]),
    Buffer.concat([gnuLong("K", "t"), headerBlock({ name: "d", type: "2" })]),
  );
  const all = readMembers(memorySource(whole));

  function* cutInPieces(bytes: Buffer, size: number): Generator<Buffer, undefined> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  /** How many whole members came out of an archive cut at each length; or the error there. */
  function outcomes(sourceOf: (bytes: Buffer) => TarSource): (number | string)[] {
    return Array.from({ length: whole.length }, (_, length) => {
      try {
        const found = readMembers(sourceOf(whole.subarray(0, length)));
        const isStart = found.every((one, i) => {
          const same = all[i];
          return one.entry.name === same?.entry.name && one.content.equals(same.content);
        });
        return isStart ? found.length : `wrong members for a cut at ${length}`;
      } catch (error) {
        return error instanceof StageError ? `${error.code}: ${error.message}` : String(error);
      }
    });
  }

  it.each([
    { kind: "memory", sourceOf: (bytes: Buffer) => memorySource(bytes) },
    { kind: "pieces", sourceOf: (bytes: Buffer) => new ChunkSource(cutInPieces(bytes, 300)) },
  ])("gives whole members or says that it is cut, for a cut at any byte ($kind)", (by) => {
    const cut = "IMAGE_INVALID: the tar archive is truncated";
    const found = outcomes(by.sourceOf);
    expect(new Set(found)).toEqual(new Set([0, cut, 1, 2, 3, 4]));
    // Within the first member: only its start, and the padding after its 700 bytes.
    expect(found.slice(0, 1 + 512 + 1024)).toEqual([
      0,
      ...Array(512 + 699).fill(cut),
      ...Array(1024 - 700 + 1).fill(1),
    ]);
  });

  it("ends or says IMAGE_INVALID or IMAGE_UNSUPPORTED whichever bytes are changed", () => {
    const random = pseudoRandom(20_240_229);
    let refused = 0;
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(whole);
      const header = random(bytes.length / 512) * 512;
      for (let change = 0; change <= random(4); change++) {
        bytes[header + random(512)] = random(256);
      }
      mendChecksum(bytes.subarray(header, header + 512));
      try {
        readMembers(memorySource(bytes));
      } catch (error) {
        if (!isAboutTheImage(error)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("never fails but with a StageError on PAX bodies of random bytes", () => {
    const random = pseudoRandom(7);
    let refused = 0;
    for (let round = 0; round < 700; round++) {
      const body = pax({ path: "some/path", size: "12", mtime: "1.5" });
      for (let change = 0; change <= random(3); change++) body[random(body.length)] = random(256);
      const bytes = archiveOf(paxMember(body), member({ name: "f" }, "x".repeat(12)));
      try {
        readMembers(memorySource(bytes));
      } catch (error) {
        if (!isAboutTheImage(error)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

function isAboutTheImage(error: unknown): boolean {
  return error instanceof StageError && error.code.startsWith("IMAGE_");
}

/** The header stays one that readers take seriously: only then do they look at its fields. */
function mendChecksum(block: Buffer): void {
  block.fill(32, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}

/** The same numbers in every run (a linear congruential generator). */
function pseudoRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
