import { describe, expect, test } from "vitest";
import { environmentOf, parseAssignment } from "../../src/launch/environment.js";
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

test("an image's variables may have the names of what all objects have", () => {
  const env = environmentOf({ env: ["__proto__=p", "constructor=c"] });
  expect(Object.entries(env)).toEqual(
    expect.arrayContaining([
      ["__proto__", "p"],
      ["constructor", "c"],
    ]),
  );
});
