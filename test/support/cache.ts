import { readdirSync } from "node:fs";
import { CacheLayout } from "../../src/cache/layout.js";
import { prepareCache } from "../../src/cache/place/location.js";
import { scratchDirectory } from "./scratch-directory.js";

export interface TestCache {
  readonly directory: string;
  readonly layout: CacheLayout;
}

/** An empty cache of this process's user. */
export function emptyCache(): TestCache {
  const directory = `${scratchDirectory()}/cache`;
  prepareCache({ cacheDirectory: directory, uid: process.geteuid?.() ?? 0 });
  return { directory, layout: new CacheLayout(directory) };
}

/** What is under way or locked in a cache: nothing, when nobody works on it. */
export function leftovers({ directory }: TestCache): readonly string[] {
  return [...readdirSync(`${directory}/v1/tmp`), ...locksIn(`${directory}/v1/locks`)];
}

/** What there is in a directory of locks, but for those that are kept for a full disk. */
export function locksIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => !isSpareLock(name));
}

/** Whether a lock is one of those that are kept for a full disk. */
export function isSpareLock(name: string): boolean {
  return /^spare-+\d$/.test(name);
}
