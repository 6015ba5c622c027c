import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRecord, readJsonIfAny } from "../../src/host/read-json.js";
import { writeJsonAtomically } from "../../src/host/write-json.js";
import { refusal } from "../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../support/scratch-directory.js";

describe("writeJsonAtomically", () => {
  it("writes what readJsonIfAny reads, for all who may enter the directory, and nothing else", () => {
    const directory = scratchDirectory();
    const path = join(directory, "entry.json");
    writeJsonAtomically(path, { a: ["\ud83e\udd8a", null] });
    expect(readJsonIfAny(path)).toEqual({ a: ["\ud83e\udd8a", null] });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory)).toEqual(["entry.json"]);
  });

  it("replaces an older file", () => {
    const directory = scratchDirectory();
    const path = join(directory, "entry.json");
    writeJsonAtomically(path, { version: "an older and longer one" });
    const old = statSync(path).ino;
    writeJsonAtomically(path, 2);
    expect(readFileSync(path, "utf8")).toBe("2\n");
    expect(statSync(path).ino).not.toBe(old);
    expect(readdirSync(directory)).toEqual(["entry.json"]);
  });

  it("replaces a link and does not write through it", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "target"), "kept");
    symlinkSync("target", join(directory, "entry.json"));
    writeJsonAtomically(join(directory, "entry.json"), 1);
    expect(readFileSync(join(directory, "target"), "utf8")).toBe("kept");
  });

  it("leaves the old file and nothing else where the new one can't take its place", () => {
    const directory = scratchDirectory();
    mkdirSync(join(directory, "entry.json/x"), { recursive: true });
    expect(() => writeJsonAtomically(join(directory, "entry.json"), 1)).toThrow();
    expect(readdirSync(directory)).toEqual(["entry.json"]);
  });

  it("leaves nothing where the value is no JSON", () => {
    const directory = scratchDirectory();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const value of [circle, 1n]) {
      expect(() => writeJsonAtomically(join(directory, "entry.json"), value)).toThrow(TypeError);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it("says so where there is no such directory", () => {
    const path = join(scratchDirectory(), "no/entry.json");
    expect(() => writeJsonAtomically(path, 1)).toThrow(/ENOENT/);
  });
});

describe("readJsonIfAny", () => {
  it.each([
    { what: "half a document", text: '{"a":' },
    { what: "nothing", text: "" },
    { what: "zeros, as after a power loss", text: "\0".repeat(100) },
  ])("takes $what for no file", ({ text }) => {
    const path = join(scratchDirectory(), "entry.json");
    writeFileSync(path, text);
    expect(readJsonIfAny(path)).toBeUndefined();
  });

  it("takes a missing file for none", () => {
    const directory = scratchDirectory();
    writeFileSync(join(directory, "file"), "{}");
    expect(readJsonIfAny(join(directory, "nosuch"))).toBeUndefined();
    expect(readJsonIfAny(join(directory, "file/nosuch"))).toBeUndefined();
  });

  it("takes a file that may not be read for none", () => {
    const directory = scratchDirectory();
    const path = join(directory, "entry.json");
    writeFileSync(path, "{}");
    chmodSync(path, 0);
    asOrdinaryUser(directory, () => {
      expect(readJsonIfAny(path)).toBeUndefined();
    });
  });

  it.each([
    { what: "a fifo", make: (path: string) => execFileSync("mkfifo", [path]) },
    { what: "a directory", make: (path: string) => mkdirSync(path) },
    { what: "a link to a device", make: (path: string) => symlinkSync("/dev/zero", path) },
    { what: "a link to itself", make: (path: string) => symlinkSync("entry.json", path) },
    // Its first page is never there, so reading is an input/output error.
    { what: "a bad sector", make: (path: string) => symlinkSync("/proc/self/mem", path) },
    {
      what: "a file of a terabyte",
      make: (path: string) => {
        writeFileSync(path, "");
        truncateSync(path, 2 ** 40);
      },
    },
  ])("takes $what for no file, and does not wait for it", ({ make }) => {
    const path = join(scratchDirectory(), "entry.json");
    make(path);
    expect(readJsonIfAny(path)).toBeUndefined();
  });

  it("does not take a file for missing for another reason", () => {
    const path = join(scratchDirectory(), "entry.json");
    expect(refusal(() => readJsonIfAny(`${path}${"x".repeat(300)}`)).code).toBe(
      "IMAGE_UNSUPPORTED",
    );
  });
});

describe("isRecord", () => {
  it.each([
    { value: {}, is: true },
    { value: { a: 1 }, is: true },
    { value: [], is: false },
    { value: null, is: false },
    { value: undefined, is: false },
    { value: "x", is: false },
  ])("says $is of $value", ({ value, is }) => {
    expect(isRecord(value)).toBe(is);
  });
});
