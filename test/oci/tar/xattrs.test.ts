import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { TarEntry } from "../../../src/oci/tar/reader.js";
import { xattrsOf } from "../../../src/oci/tar/xattrs.js";
import { requireAttributes, setAttributesAt } from "../../support/extended-attributes.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { memorySource, readMembers } from "../../support/tar-members.js";

function read(records: Record<string, string>): Record<string, string> | undefined {
  const found = xattrsOf(new Map(Object.entries(records)));
  return found && Object.fromEntries(found);
}

describe("xattrsOf", () => {
  it.each([
    ["none", { path: "x" }, undefined],
    ["a plain one", { "SCHILY.xattr.user.a": "\0\xff" }, { "user.a": "\0\xff" }],
    ["a plain name as it is", { "SCHILY.xattr.user.%41": "1" }, { "user.%41": "1" }],
    ["an encoded one", { "LIBARCHIVE.xattr.user.a": "AP8KPQ" }, { "user.a": "\0\xff\n=" }],
    ["base64 with its padding", { "LIBARCHIVE.xattr.user.a": "YQ==" }, { "user.a": "a" }],
    ["an encoded one without value", { "LIBARCHIVE.xattr.user.a": "" }, { "user.a": "" }],
    [
      "an encoded name",
      { "LIBARCHIVE.xattr.user.%c3%BC%20%253D": "MQ" },
      { "user.\xc3\xbc %3D": "1" },
    ],
    [
      "a % that stands for itself",
      { "LIBARCHIVE.xattr.user.%4%zz%": "MQ" },
      { "user.%4%zz%": "1" },
    ],
    [
      "both, of two attributes",
      { "SCHILY.xattr.a": "1", "LIBARCHIVE.xattr.b": "Mg" },
      { a: "1", b: "2" },
    ],
    ["both, of one", { "LIBARCHIVE.xattr.a": "MQ", "SCHILY.xattr.a": "1" }, { a: "1" }],
    [
      "the plain one where they differ",
      { "LIBARCHIVE.xattr.a": "MQ", "SCHILY.xattr.a": "2" },
      { a: "2" },
    ],
    [
      "both, the plain name encoded too",
      { "SCHILY.xattr.%20": "1", "LIBARCHIVE.xattr.%20": "MQ" },
      { " ": "1" },
    ],
    [
      "both where the plain name only looks encoded",
      { "SCHILY.xattr.%20": "2", "LIBARCHIVE.xattr.%20": "MQ" },
      { "%20": "2", " ": "1" },
    ],
  ])("finds %s", (_, records, expected) => {
    expect(read(records)).toEqual(expected);
  });

  it.each([
    ["a character of another alphabet", "LIBARCHIVE.xattr.user.a", "YW-h"],
    ["a space", "LIBARCHIVE.xattr.user.a", "YW Fh"],
    ["a digit too many", "LIBARCHIVE.xattr.user.a", "YWFhY"],
    ["padding alone", "LIBARCHIVE.xattr.user.a", "==="],
    ["padding within", "LIBARCHIVE.xattr.user.a", "YQ==YQ=="],
    ["a NUL in the name", "LIBARCHIVE.xattr.user.a%00b", "YQ"],
  ])("loses nothing where %s makes it undecodable", (_, keyword, value) => {
    const records = { [keyword]: value, "LIBARCHIVE.xattr.user.b": "YQ" };
    expect(read(records)).toEqual({ [keyword]: value, "user.b": "a" });
  });
});

describe("the archives of other programs", () => {
  const plain = { "user.bytes": "\0\xff\n=", "user.empty": "", "user.gr\xc3\xb6\xc3\x9fe": "name" };
  const odd = { "user.a b%=c": "=", "user.%41": "A" };

  /** What an archive of a file and a directory with these attributes holds, as read by us. */
  function packed(wanted: Record<string, string>, command: readonly [string, ...string[]]) {
    const root = scratchDirectory();
    mkdirSync(`${root}/d`);
    writeFileSync(`${root}/f`, "content");
    for (const name of ["d", "f"]) setAttributesAt(`${root}/${name}`, wanted);
    const [program, ...args] = command;
    const bytes = execFileSync(program, [...args, "-cf", "-", "-C", root, "d", "f"]);
    return readMembers(memorySource(bytes)).map(({ entry }) => ofUsers(entry.xattrs));
  }

  function ofUsers(xattrs: TarEntry["xattrs"]): Record<string, string> {
    return Object.fromEntries([...(xattrs ?? [])].filter(([name]) => name.startsWith("user.")));
  }

  it("GNU tar's are read", (context) => {
    requireAttributes(context);
    const found = packed(plain, ["tar", "--format=pax", "--xattrs", "--xattrs-include=*"]);
    expect(found).toEqual([plain, plain]);
  });

  it.for(["all", "LIBARCHIVE"])("bsdtar's are read, with its headers %s", (headers, context) => {
    requireAttributes(context);
    if (spawnSync("bsdtar", ["--version"]).status !== 0) {
      context.skip("bsdtar is not installed (Debian package libarchive-tools)");
    }
    const all = { ...plain, ...odd };
    const options = headers === "all" ? [] : ["--options", `pax:xattrheader=${headers}`];
    const found = packed(all, ["bsdtar", "--format=pax", ...options]);
    expect(found).toEqual([all, all]);
  });
});
