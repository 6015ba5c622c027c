import { describe, expect, test } from "vitest";
import { fillUnit } from "../../../src/fleet/generate/fill-unit.js";

describe("a unit that is filled in", () => {
  test.each([
    ["/usr/bin/node", "/usr/bin/node"],
    ["10%", "10%%"],
    ["$HOME/x", '"$$HOME/x"'],
    ['a "b" \\c', '"a \\"b\\" \\\\c"'],
    ["two\nlines", '"two\\nlines"'],
  ])("has the word %j as systemd reads it", (word, quoted) => {
    const filled = fillUnit("ExecStart=@PROGRAM@ gc\n", { PROGRAM: [word, "x"] });
    expect(filled).toBe(`ExecStart=${quoted} x gc\n`);
  });

  test("has no blanks where no words are", () => {
    expect(fillUnit("ExecStart=x @ONE@ y @NONE@\n", { ONE: [], NONE: [] })).toBe("ExecStart=x y\n");
  });

  test("has to know all of its placeholders", () => {
    expect(() => fillUnit("@NONE@", {})).toThrow(/@NONE@/);
  });
});
