import * as v from "valibot";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Digest, parseDigest } from "./digest.js";

/** A digest in a document. Ones that no supported algorithm made are refused where they stand. */
export const digestSchema: v.GenericSchema<unknown, Digest> = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDigest(dataset.value);
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : "not a digest" });
      return NEVER;
    }
  }),
);

/**
 * Parses JSON from outside into what `schema` describes.
 * @param bytes the document
 * @param what its name for messages, such as `manifest.json in image.tar`
 * @throws StageError IMAGE_INVALID that names the place in the document
 */
export function parseDocument<Output>(
  bytes: Buffer,
  options: { schema: v.GenericSchema<unknown, Output>; what: string },
): Output {
  const { schema, what } = options;
  const result = v.safeParse(schema, parseJson(bytes, what), { abortEarly: true });
  if (result.success) return result.output;
  throw new StageError("IMAGE_INVALID", `${what}: ${explainIssue(result.issues[0])}`);
}

/** Where in a document something is wrong, and what, without the value: `layers.0.size: …`. */
export function explainIssue(issue: v.BaseIssue<unknown>): string {
  return `${printable(v.getDotPath(issue) ?? "the document")}: ${faultOf(issue)}`;
}

/** What is wrong with a value; the value itself may be long, or secret. */
function faultOf(issue: v.BaseIssue<unknown>): string {
  if (issue.kind !== "schema") return printable(issue.message);
  const expected = issue.expected ?? "something else";
  return `should be ${printable(expected)}, but is ${typeName(issue.input)}`;
}

function typeName(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `a ${typeof value}`;
}

function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StageError("IMAGE_INVALID", `${what} is not JSON`, { cause: error });
  }
}
