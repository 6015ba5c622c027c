import { number, object } from "valibot";
import { describe, expect, it } from "vitest";
import { parseDocument } from "../../src/oci/document.js";
import { refusal } from "../support/refusal.js";

const schema = object({ size: number() });

function parse(text: string) {
  return parseDocument(Buffer.from(text), { schema, what: "a.json" });
}

describe("parseDocument", () => {
  it("gives what the schema describes and nothing else", () => {
    expect(parse('{"size": 3, "more": 4, "__proto__": {"size": 5}}')).toEqual({ size: 3 });
  });

  it("takes the last of a property that comes twice", () => {
    expect(parse('{"size": 3, "size": 4}')).toEqual({ size: 4 });
  });

  it("reads a document with a byte order mark", () => {
    expect(parse('\ufeff{"size":3}')).toEqual({ size: 3 });
  });

  it("names the document and the place of what is wrong", () => {
    expect(refusal(() => parse('{"size":"3"}')).message).toMatch(/^a\.json: size: /);
  });

  it("survives a document that nests as deep as it can", () => {
    const depth = 200_000;
    const error = refusal(() => parse(`{"size":${"[".repeat(depth)}${"]".repeat(depth)}}`));
    expect(error.code).toBe("IMAGE_INVALID");
  });

  it("keeps the message on one line and fit for a terminal", () => {
    const { message } = refusal(() => parse('{"size":"a\\nb\\u001b[2J"}'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it must not hold
    expect(message).not.toMatch(/[\x00-\x1f]/);
  });
});
