import { createReadStream } from "node:fs";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { imageWord } from "./image-word.js";
import type { CommandLine } from "./options.js";

/** What is longer than this is no list of images, in bytes: 16 MiB. */
const longestList = 16 * 1024 * 1024;

/**
 * The images of a command line: its words, then those of the lists that `--file` names, each once.
 * @throws StageError USAGE, NOT_FOUND, PERMISSION
 */
export async function imagesOf({ words, values }: CommandLine): Promise<readonly string[]> {
  const files = values.file ?? [];
  if (words.length + files.length === 0) {
    throw new StageError("USAGE", "no image was named", {
      hint: "usage: stage-rootfs warm IMAGE... [-f FILE]; see --help",
    });
  }
  const images = new Set(words);
  for (const file of new Set(files)) {
    for (const image of await readList(file)) images.add(imageWord(image, values));
  }
  if (files.includes("-") && images.has("-")) {
    throw new StageError("USAGE", "standard input can't be both a list and an image", {
      hint: "name the image's archive, or put the list in a file",
    });
  }
  return [...images];
}

async function readList(file: string): Promise<readonly string[]> {
  const name = file === "-" ? "standard input" : printable(file);
  const images = parseList(await readText(file, name));
  if (images.length > 0) return images;
  throw new StageError("NOT_FOUND", `the list ${name} names no image`, {
    hint: "write one reference a line; lines that begin with # don't count",
  });
}

/** One reference a line; blank lines, and those that begin with `#`, don't count. */
export function parseList(text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

async function readText(file: string, name: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    const source = file === "-" ? process.stdin : createReadStream(file);
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > longestList) throw noList(name, `is larger than ${longestList} bytes`);
      chunks.push(bytes);
    }
  } catch (error) {
    if (errnoOf(error) === "EISDIR") throw noList(name, "is a directory");
    throw fromSystemError(error, `read the list ${name}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function noList(name: string, reason: string): StageError {
  return new StageError("NOT_FOUND", `${name} is no list of images: it ${reason}`, {
    hint: "give a file with one reference a line",
  });
}
