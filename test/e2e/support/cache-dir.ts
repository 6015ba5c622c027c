import { chownSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { makeScratchDir } from "./places.js";
import { runningAs, type UserKind, userFor } from "./users.js";

/** A directory of one user, for a cache or for whatever else a test writes. */
export interface PrivateDir {
  readonly path: string;
  /** Removes it as its owner would, with plain `rm -rf`; an error when that leaves something. */
  readonly remove: () => Promise<void>;
}

/** Makes a private directory (mode 0700) that belongs to `owner`. */
export function makePrivateDir(owner: UserKind): PrivateDir {
  const user = userFor(owner);
  const parent = makeScratchDir("cache", { mode: 0o755, owner: user });
  const path = join(parent, "cache");
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, user.uid, user.gid);
  return {
    path,
    remove: async () => {
      try {
        await execa("rm", ["-rf", "--", path], { cwd: "/", ...runningAs(owner) });
        if (existsSync(path)) {
          throw new Error(`rm -rf said nothing, but ${path} is still there.`);
        }
      } finally {
        await execa("chmod", ["-R", "u+rwX", parent]);
        rmSync(parent, { recursive: true, force: true });
      }
    },
  };
}

/**
 * The path of a new private directory, for the running test: at its end the directory is removed
 * by its owner, and the test fails if that can't be done. In a concurrent test pass the test
 * context's own `onTestFinished`.
 */
export function freshCacheDir(
  owner: UserKind,
  atTheEnd: (remove: () => Promise<void>) => void = onTestFinished,
): string {
  const { path, remove } = makePrivateDir(owner);
  atTheEnd(remove);
  return path;
}
