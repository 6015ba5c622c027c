import { describe, expect, test } from "vitest";
import { parseAssignment } from "../../src/launch/environment.js";
import { refusal } from "../support/refusal.js";

describe("parseAssignment", () => {
  test.each([
    ["A=1", ["A", "1"]],
    ["A=", ["A", ""]],
    ["A==b=", ["A", "=b="]],
    ["a b=c d", ["a b", "c d"]],
    ["A=line\nfeed", ["A", "line\nfeed"]],
    ["Ä=ö", ["Ä", "ö"]],
    ["__proto__=x", ["__proto__", "x"]],
  ])("takes %j", (text, pair) => {
    expect(parseAssignment(text)).toEqual(pair);
  });

  test.each(["", "A", "=", "=1", "A=b\0c"])("refuses %j", (text) => {
    expect(refusal(() => parseAssignment(text)).code).toBe("USAGE");
  });
});
