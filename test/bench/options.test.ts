import { describe, expect, test } from "vitest";
import { helpText, parseOptions } from "../../bench/options.mjs";
import { PARTS } from "../../bench/parts/parts.mjs";

const parts = [
  { name: "cold", does: "is cold" },
  { name: "warm", does: "is warm" },
  { name: "vast", does: "is vast", fullOnly: true },
];
const plain = {
  quick: false,
  install: false,
  writeDocs: false,
  help: false,
  dir: undefined,
  rounds: undefined,
  parts: ["cold", "warm", "vast"],
};

describe("parseOptions", () => {
  test.each([
    [[], {}],
    [["--quick"], { quick: true, parts: ["cold", "warm"] }],
    [["--only", "warm"], { parts: ["warm"] }],
    [["--only", "vast,cold"], { parts: ["cold", "vast"] }],
    [["--only", ""], { parts: [] }],
    [["--only=warm", "--write-docs"], { parts: ["warm"], writeDocs: true }],
    [["--rounds", "7", "--dir", "/d"], { rounds: 7, dir: "/d" }],
    [["--install", "-h"], { install: true, help: true }],
  ])("takes %j", (argv, options) => {
    expect(parseOptions(argv, parts)).toEqual({ ...plain, ...options });
  });

  test.each([
    [["--only", "tepid"], "tepid: there is no such part; there are cold, warm, vast"],
    [["--quick", "--only", "vast"], "vast: there is no such part; there are cold, warm"],
    [["--rounds", "0"], "--rounds 0: a whole number"],
    [["--rounds", "many"], "--rounds many: a whole number"],
    [["--slow"], "see --help"],
    [["extra"], "see --help"],
    [["--quick", "--write-docs"], "leave --quick out"],
  ])("refuses %j", (argv, message) => {
    expect(() => parseOptions(argv, parts)).toThrow(message);
  });
});

test("the help text names every part", () => {
  const text = helpText(PARTS);
  for (const { name } of PARTS) expect(text).toMatch(new RegExp(`^  ${name} `, "m"));
});
