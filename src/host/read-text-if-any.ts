import { existsSync, readFileSync } from "node:fs";

/** Reads a file of the kernel's; undefined where there is none to be read. */
export type ReadIfAny = (path: string) => string | undefined;

/** The text of a small file; undefined where it is missing or can't be read. */
export function readTextIfAny(path: string): string | undefined {
  // An exception takes many times longer than to look first.
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
