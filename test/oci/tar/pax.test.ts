import { describe, expect, it } from "vitest";
import { decodePax, paxNumber, paxPath } from "../../../src/oci/tar/pax.js";
import { refusal } from "../../support/refusal.js";
import { pax } from "../../support/tar-blocks.js";

describe("decodePax", () => {
  it("reads records in order, the last of a keyword winning", () => {
    const body = Buffer.from("10 uid=12\n10 gid=34\n10 uid=56\n");
    expect([...decodePax(body)]).toEqual([
      ["uid", "56"],
      ["gid", "34"],
    ]);
  });

  it("reads a length that counts its own digits, over every change in their number", () => {
    for (let length = 0; length < 1100; length++) {
      const value = "v".repeat(length);
      expect(decodePax(pax({ path: value, uid: "7" }))).toEqual(
        new Map([
          ["path", value],
          ["uid", "7"],
        ]),
      );
    }
  });

  it("keeps bytes that are no UTF-8", () => {
    const value = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
    expect(decodePax(pax({ path: value })).get("path")).toBe(value.toString("latin1"));
  });

  it("keeps an equals sign and a line feed that are part of a value", () => {
    const records = decodePax(pax({ path: "a=b\nc=d", "SCHILY.xattr.user.x": "\0\n\0" }));
    expect(records.get("path")).toBe("a=b\nc=d");
    expect(records.get("SCHILY.xattr.user.x")).toBe("\0\n\0");
  });

  it("reads an empty value and an empty body", () => {
    expect(decodePax(pax({ path: "" })).get("path")).toBe("");
    expect(decodePax(Buffer.alloc(0)).size).toBe(0);
  });

  it("passes over zeros that fill up the block", () => {
    const body = Buffer.concat([pax({ uid: "1" }), Buffer.alloc(300)]);
    expect([...decodePax(body)]).toEqual([["uid", "1"]]);
  });

  it.each([
    "path=x\n",
    " 8 a=b\n",
    "8  a=b\nx",
    "6 a=b",
    "7 a=b\n",
    "5 a=b\n",
    "99 a=b\n",
    "0 a=b\n",
    "1 a=b\n",
    "2 a=b\n",
    "-6 a=b\n",
    "+6 a=b\n",
    "0x6 a=b\n",
    "6e0 a=b\n",
    "5 ab\n",
    "5 =b\n",
    "4 =\n",
    "99999999999999999999 a=b\n",
    "6",
    "6 ",
    "\n",
    "6 a=b\njunk",
  ])("refuses the malformed body %j", (body) => {
    expect(refusal(() => decodePax(Buffer.from(body)))).toMatchObject({
      code: "IMAGE_INVALID",
      message: "a PAX extended header is malformed",
    });
  });
});

describe("paxNumber", () => {
  it.each([
    { value: "0", number: 0 },
    { value: "0042", number: 42 },
    { value: "-1", number: -1 },
    { value: "1700000000.250000000", number: 1_700_000_000.25 },
    { value: "-0.5", number: -0.5 },
    { value: "12.", number: 12 },
  ])("reads $value", ({ value, number }) => {
    expect(paxNumber(new Map([["mtime", value]]), "mtime")).toBe(number);
  });

  it("has nothing to say about what is missing or taken back", () => {
    expect(paxNumber(new Map(), "uid")).toBeUndefined();
    expect(paxNumber(new Map([["uid", ""]]), "uid")).toBeUndefined();
  });

  it.each([
    "x",
    "0x10",
    "1e9",
    " 1",
    "1 ",
    "1\n",
    ".5",
    "+1",
    "--1",
    "NaN",
    "Infinity",
    "1.2.3",
    "9".repeat(21),
  ])("refuses %j and names the keyword", (value) => {
    const error = refusal(() => paxNumber(new Map([["size", value]]), "size"));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain("size");
  });
});

describe("paxPath", () => {
  it("gives the bytes as they are", () => {
    expect(paxPath(new Map([["path", "a/\xff"]]), "path")).toBe("a/\xff");
  });

  it("has nothing to say about what is missing or taken back", () => {
    expect(paxPath(new Map(), "path")).toBeUndefined();
    expect(paxPath(new Map([["path", ""]]), "path")).toBeUndefined();
  });

  it.each(["\0", "a\0b", "a\0"])("refuses %j, which no path can be", (value) => {
    const error = refusal(() => paxPath(new Map([["linkpath", value]]), "linkpath"));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain("linkpath");
  });
});
