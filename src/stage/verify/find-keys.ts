import { relative, resolve } from "node:path";
import { namesIn } from "../../cache/abandoned.js";
import { hasEntry } from "../../cache/entry.js";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { ImageOpener } from "../image-opener.js";
import { lookUpSource, sourceIdentity } from "../known-source.js";
import { checkRequest, keyOf, type StageOptions } from "../request.js";

/**
 * The entries that a word names: a key, the path of a rootfs in the cache or of something in it, or
 * an image, of which all entries are meant.
 * @throws StageError NOT_FOUND where the cache has none, and what opening the image throws
 */
export async function findKeys(word: string, options: StageOptions): Promise<readonly string[]> {
  const { layout } = checkRequest("-", options);
  if (/^[\w-]+$/.test(word) && hasEntry(layout, word)) return [word];
  const inCache = relative(layout.entries, resolve(word)).split("/")[0] ?? "";
  if (inCache !== "" && inCache !== ".." && hasEntry(layout, inCache)) return [inCache];
  const base = await keyOfImage(word, options);
  const keys = namesIn(layout.entries).filter((key) => {
    return key === base || key.startsWith(`${base}-mounts-`);
  });
  if (keys.length > 0) return keys.sort();
  throw new StageError("NOT_FOUND", `${printable(word)} is not in the cache`, {
    hint: "stage it first, or name an entry by its key or path",
  });
}

async function keyOfImage(image: string, options: StageOptions): Promise<string> {
  const request = checkRequest(image, options);
  const known = lookUpSource(request, sourceIdentity(request));
  if (known) return keyOf(request, known);
  const opener = new ImageOpener(request);
  try {
    return keyOf(request, await opener.open());
  } finally {
    await opener.close();
  }
}
