import { readFileSync } from "node:fs";
import { errnoOf, fromSystemError } from "../errors.js";

/**
 * A JSON file of ours; undefined where it is missing or no JSON, which a torn write would leave.
 * @throws StageError PERMISSION
 */
export function readJsonIfAny(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const errno = errnoOf(error);
    if (error instanceof SyntaxError || errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw fromSystemError(error, `read ${path}`);
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
