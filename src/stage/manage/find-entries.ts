import { isAbsolute, relative, resolve } from "node:path";
import type { CachedEntry } from "../../cache/removal/inventory.js";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { checkRequest } from "../request.js";
import { lookUpSource, sourceIdentity } from "../sources/known-source.js";
import type { StagedImage } from "../staged-image.js";
import type { OpenCache } from "./open-cache.js";

/** The least that a key can be shortened to, in characters. */
const leastPrefix = 4;

/**
 * The entries that a word names: a path in one of them, a key or the beginning of one (with or
 * without `sha256-`), an image ID, or an image by its reference, as far as the cache knows it.
 * Nothing is asked of a registry.
 * @throws StageError NOT_FOUND, REFERENCE_AMBIGUOUS
 */
export function findEntries(
  word: string,
  { cache, entries }: { cache: OpenCache; entries: readonly CachedEntry<StagedImage>[] },
): readonly CachedEntry<StagedImage>[] {
  const searches = [
    () => entries.filter(({ path }) => isWithin(path, word)),
    () => entries.filter(({ key }) => key === word || key === `sha256-${word}`),
    () => entries.filter(({ details }) => details.imageId === word),
    () => byPrefix(word, entries),
    () => byReference(word, { cache, entries }),
  ];
  for (const search of searches) {
    const found = search();
    if (found.length > 0) return found;
  }
  throw new StageError("NOT_FOUND", `the cache has no image "${printable(word)}"`, {
    hint: "stage-rootfs ls shows what it has",
  });
}

function isWithin(directory: string, word: string): boolean {
  const path = relative(directory, resolve(word));
  return path === "" || !(path === ".." || path.startsWith("../") || isAbsolute(path));
}

/** As listings shorten keys: the beginning of the digest, and of the word for the variant if any. */
function byPrefix(word: string, entries: readonly CachedEntry<StagedImage>[]) {
  const [digest = "", ...rest] = word.replace(/^sha256[-:]/, "").split("-");
  if (!/^[0-9a-f]+$/.test(digest) || digest.length < leastPrefix) return [];
  const found = entries.filter(({ key }) => key.startsWith(`sha256-${digest}`));
  const variant = rest.join("-");
  const exact = found.filter(({ key }) => variantOf(key) === variant);
  const fitting =
    exact.length > 0 ? exact : found.filter((e) => variantOf(e.key).startsWith(variant));
  if (fitting.length < 2) return fitting;
  const keys = fitting.map(({ key }) => key).join(", ");
  throw new StageError(
    "REFERENCE_AMBIGUOUS",
    `"${printable(word)}" is the beginning of ${fitting.length} keys: ${keys}`,
    { hint: "give more of the key" },
  );
}

function variantOf(key: string): string {
  return key.replace(/^sha256-[0-9a-f]*-?/, "");
}

function byReference(
  word: string,
  { cache, entries }: { cache: OpenCache; entries: readonly CachedEntry<StagedImage>[] },
) {
  const request = requestFor(word, cache);
  const known = request && lookUpSource(request, sourceIdentity(request));
  return entries.filter(({ details: { imageId, source } }) => {
    return imageId === known?.imageId || source?.reference === word;
  });
}

/** Undefined for a word that is no reference. */
function requestFor(word: string, { directory }: OpenCache) {
  try {
    return checkRequest(word, { cacheDir: directory, offline: true, lease: "none" });
  } catch (error) {
    if (error instanceof StageError) return undefined;
    throw error;
  }
}
