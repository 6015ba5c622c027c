import { chmodSync, closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type Attributes,
  AttributeWriter,
  copyAttributes,
} from "../../src/host/extended-attributes.js";
import { attributesAt, requireAttributes } from "../support/extended-attributes.js";
import { asOrdinaryUser, scratchDirectory } from "../support/scratch-directory.js";
import { modeOf } from "../support/tree-contents.js";

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** A new file's path. */
function newFile(mode = 0o644): string {
  const path = `${scratchDirectory()}/file`;
  writeFileSync(path, "", { mode });
  return path;
}

/** Whether the writer says that it has set all of the attributes. */
function set(path: string, attributes: Attributes, writer = new AttributeWriter()): boolean {
  const fd = openSync(path, "r");
  try {
    return writer.set(fd, attributes);
  } finally {
    closeSync(fd);
  }
}

const one: Attributes = [["user.a", Buffer.from("1")]];

describe("AttributeWriter", () => {
  test("sets values of any bytes and none, and says so", (context) => {
    requireAttributes(context);
    const path = newFile();
    const attributes: Attributes = [
      ["user.bytes", allBytes],
      ["user.empty", Buffer.alloc(0)],
      ["user.gr\xc3\xb6\xc3\x9fe =%41", Buffer.from("name")],
    ];
    expect(set(path, attributes)).toBe(true);
    expect(attributesAt(path)).toEqual({
      "user.bytes": allBytes.toString("latin1"),
      "user.empty": "",
      "user.gr\xc3\xb6\xc3\x9fe =%41": "name",
    });
  });

  const refused: Attributes = [
    ["security.capability", Buffer.from([1, 0, 0, 2])],
    ["trusted.overlay.opaque", Buffer.from("y")],
    ["system.posix_acl_access", Buffer.from([2, 0, 0, 0])],
    ["userx", Buffer.from("no namespace")],
    ["user.", Buffer.from("no name")],
    ["user.a\0b", Buffer.from("would be user.a")],
    ["user.\xff", Buffer.from("a name that is no UTF-8")],
    [`user.${"x".repeat(251)}`, Buffer.from("a name too long")],
    ["user.big", Buffer.alloc(65_537)],
  ];
  test.for(refused)("leaves out %j, says so, and sets the others", ([name, value], context) => {
    requireAttributes(context);
    const path = newFile();
    const second = Buffer.from("2");
    expect(
      set(path, [
        ["user.before", second],
        [name, value],
        ["user.z", second],
      ]),
    ).toBe(false);
    expect(attributesAt(path)).toEqual({ "user.before": "2", "user.z": "2" });
  });

  test("does not ask again a disk that has no attributes", (context) => {
    requireAttributes(context);
    const path = newFile();
    const writer = new AttributeWriter();
    expect(set("/proc/self/comm", one, writer)).toBe(false);
    expect(set(path, one, writer)).toBe(false);
    expect(writer.setOnDirectory(scratchDirectory(), one)).toBe(false);
    expect(attributesAt(path)).toEqual({});
    expect(set(path, one)).toBe(true);
  });

  test("asks again after a value that was too large", (context) => {
    requireAttributes(context);
    const path = newFile();
    const writer = new AttributeWriter();
    expect(set(path, [["user.big", Buffer.alloc(65_537)]], writer)).toBe(false);
    expect(set(path, one, writer)).toBe(true);
  });

  test("leaves a file's mode as it is, also where its owner may not write to it", (context) => {
    requireAttributes(context);
    const parent = scratchDirectory();
    const path = `${parent}/file`;
    asOrdinaryUser(parent, () => {
      writeFileSync(path, "");
      chmodSync(path, 0o4555);
      expect(set(path, one)).toBe(true);
    });
    expect(attributesAt(path)).toEqual({ "user.a": "1" });
    expect(modeOf(path)).toBe(0o4555);
  });

  test("says so where the file is somebody else's", (context) => {
    requireAttributes(context);
    const parent = scratchDirectory();
    asOrdinaryUser(parent, () => expect(set("/etc/passwd", one)).toBe(false));
  });

  test("sets those of a directory, and of none that a link leads to", (context) => {
    requireAttributes(context);
    const parent = scratchDirectory();
    mkdirSync(`${parent}/d`);
    symlinkSync("d", `${parent}/l`);
    const writer = new AttributeWriter();
    expect(writer.setOnDirectory(`${parent}/l`, one)).toBe(false);
    expect(attributesAt(`${parent}/d`)).toEqual({});
    expect(writer.setOnDirectory(`${parent}/d`, one)).toBe(true);
    expect(attributesAt(`${parent}/d`)).toEqual({ "user.a": "1" });
    expect(writer.setOnDirectory(`${parent}/missing`, one)).toBe(false);
    expect(writer.setOnDirectory(newFile(), one)).toBe(false);
  });
});

describe("copies", () => {
  const many: Attributes = [
    ["user.bytes", allBytes],
    ["user.empty", Buffer.alloc(0)],
    ["user.\xc3\xbc", Buffer.from("u")],
  ];

  test("have the original's attributes", (context) => {
    requireAttributes(context);
    const source = newFile();
    const target = newFile();
    set(source, many);
    copyAttributes(source, target);
    expect(attributesAt(target)).toEqual(attributesAt(source));
    expect(Object.keys(attributesAt(target))).toHaveLength(3);
  });

  test("of a file without any, or that can have none, have none", (context) => {
    requireAttributes(context);
    const target = newFile();
    copyAttributes(newFile(), target);
    copyAttributes("/proc/self/comm", target);
    expect(attributesAt(target)).toEqual({});
  });
});
