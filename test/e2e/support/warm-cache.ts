import { afterAll } from "vitest";
import { makePrivateDir, type PrivateDir } from "./cache-dir.js";
import { stage } from "./staged.js";
import type { UserKind } from "./users.js";

/**
 * Caches that an image stands in already, one for each kind of user; removed at the end of the file.
 * @returns what gives the cache of a user
 */
export function warmCaches(image: () => Promise<string>): (kind: UserKind) => Promise<string> {
  const directories: PrivateDir[] = [];
  const caches = new Map<UserKind, Promise<string>>();
  afterAll(async () => {
    for (const { remove } of directories) await remove();
  });
  const warm = async (kind: UserKind) => {
    const directory = makePrivateDir(kind);
    directories.push(directory);
    await stage(["--cache-dir", directory.path, "--lease", "none", await image()], { as: kind });
    return directory.path;
  };
  return (kind) => {
    const cache = caches.get(kind) ?? warm(kind);
    caches.set(kind, cache);
    return cache;
  };
}
