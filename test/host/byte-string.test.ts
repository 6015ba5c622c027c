import { readdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  bytesOfText,
  displayPath,
  pathBelow,
  printable,
  rawPath,
} from "../../src/host/byte-string.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const noUtf8 = "d\xefr-\xff\x80";

describe("pathBelow", () => {
  it("is the root for the empty path", () => {
    expect(pathBelow("/räum", "")).toBe("/räum");
  });

  it.each([
    { root: "/r", path: "a/b", bytes: "/r/a/b" },
    { root: "/räum", path: "a", bytes: "/r\xc3\xa4um/a" },
    { root: "/räum", path: noUtf8, bytes: `/r\xc3\xa4um/${noUtf8}` },
  ])("puts $path below $root, byte for byte", ({ root, path, bytes }) => {
    expect(Buffer.from(pathBelow(root, path)).toString("latin1")).toBe(bytes);
  });

  it("makes files of any name that Linux has", () => {
    const root = scratchDirectory();
    const names = [noUtf8, "grün", "\n\t\x7f", " ", "\\", "-rf", "…", "a\xc3"];
    const bytes = names.map(bytesOfName);
    for (const name of bytes) writeFileSync(pathBelow(root, name), "");
    expect(readdirSync(root, { encoding: "latin1" }).sort()).toEqual(bytes.sort());
  });
});

/** Text outside Latin-1 as its UTF-8 bytes; all else is bytes already. */
function bytesOfName(name: string): string {
  return /[^\0-\xff]/.test(name) ? bytesOfText(name) : name;
}

describe("rawPath", () => {
  it.each(["/usr/lib", "../x", noUtf8, "gr\xc3\xbcn"])("keeps the bytes of %j", (path) => {
    expect(Buffer.from(rawPath(path)).toString("latin1")).toBe(path);
  });
});

describe("bytesOfText", () => {
  it.each([
    { text: "plain", bytes: "plain" },
    { text: "grün", bytes: "gr\xc3\xbcn" },
    { text: "…", bytes: "\xe2\x80\xa6" },
    { text: "", bytes: "" },
  ])("gives the UTF-8 bytes of $text", ({ text, bytes }) => {
    expect(bytesOfText(text)).toBe(bytes);
  });
});

describe("displayPath", () => {
  it.each([
    { path: "usr/bin/su", shown: "usr/bin/su" },
    { path: "gr\xc3\xbcn", shown: "grün" },
    { path: noUtf8, shown: "d\\xefr-\\xff\\x80" },
    { path: "gr\xc3\xbcn/\xff", shown: "gr\\xc3\\xbcn/\\xff" },
    { path: "a\nb\x1b[2J\x7f\0", shown: "a\\x0ab\\x1b[2J\\x7f\\x00" },
    { path: "\xc2\x9b2J", shown: "\\x9b2J" },
    { path: "\xe2\x80\xaegpj.exe", shown: "\\u202egpj.exe" },
    { path: "\xc0\xaf", shown: "\\xc0\\xaf" },
    { path: "\xed\xa0\x80", shown: "\\xed\\xa0\\x80" },
  ])("shows $path as $shown", ({ path, shown }) => {
    expect(displayPath(path)).toBe(shown);
  });
});

describe("printable", () => {
  it.each([
    { text: "grün … 漢字 🦊", shown: "grün … 漢字 🦊" },
    { text: "\r\n\t\b", shown: "\\x0d\\x0a\\x09\\x08" },
    { text: "\x1b]0;title\x07", shown: "\\x1b]0;title\\x07" },
    { text: "\x85\x9b", shown: "\\x85\\x9b" },
    {
      text: "\u2028\u2029\u202a\u202e\u2066\u2069",
      shown: "\\u2028\\u2029\\u202a\\u202e\\u2066\\u2069",
    },
    { text: "", shown: "" },
  ])("shows $text as $shown", ({ text, shown }) => {
    expect(printable(text)).toBe(shown);
  });

  it("escapes every control character", () => {
    for (let code = 0; code < 0x20; code++) {
      expect(printable(String.fromCharCode(code))).toMatch(/^\\x[01][0-9a-f]$/);
    }
  });

  it("shows any path whole, and cuts what is longer than one can be", () => {
    const longest = "p".repeat(4096);
    expect(printable(longest)).toBe(longest);
    expect(printable(`${longest}p`)).toBe(`${longest}…`);
    expect(printable("p".repeat(10_000_000))).toBe(`${longest}…`);
  });
});
