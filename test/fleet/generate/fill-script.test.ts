import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { fillScript } from "../../../src/fleet/generate/fill-script.js";

const script = `#!/bin/sh
PLACE=/usual
OTHER_PLACE=/other
set --
printf '%s\\n' "$PLACE" "$OTHER_PLACE" "$#" "$@"
`;

describe("a script whose variables are filled in", () => {
  test.each([
    "/scratch/images",
    "with blanks  and 'quotes' and \"more\"",
    "$(touch x) `touch y` $HOME \\ ; & | * ~",
    "two\nlines",
    "",
  ])("has exactly that value: %j", (value) => {
    const filled = fillScript(script, { variables: { PLACE: value }, words: [value, "--", "-x"] });
    const said = execFileSync("sh", ["-c", filled], { encoding: "utf8" });
    expect(said).toBe(`${[value, "/other", "3", value, "--", "-x"].join("\n")}\n`);
  });

  test("is otherwise as it was", () => {
    expect(fillScript(script, { variables: {} })).toBe(script);
    expect(fillScript(script, { variables: { PLACE: "/x" } })).toBe(script.replace("/usual", "/x"));
  });

  test("has to have the variable", () => {
    expect(() => fillScript(script, { variables: { NONE: "x" } })).toThrow(/NONE=/);
  });
});
