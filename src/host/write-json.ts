import { replaceFile, type WriteOptions } from "./replace-file.js";

/** Writes a JSON file as {@link replaceFile} does. */
export function writeJsonAtomically(path: string, value: unknown, options?: WriteOptions): void {
  replaceFile({ path, content: `${JSON.stringify(value)}\n` }, options);
}
