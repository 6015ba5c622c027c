import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { lock } from "proper-lockfile";
import { scratchRoot } from "./places.js";

const UNUSED_FOR_MS = 24 * 60 * 60 * 1000;

/** Something that takes long to build and is the same for every test run. */
export interface Recipe {
  /** A short name, unique among recipes, without dashes. */
  readonly name: string;
  /** Decides what comes out: when the key changes, the thing is built anew. */
  readonly key: string;
  /** Fills the empty directory that it is given, which will stand at `home` when it is used. */
  readonly build: (dir: string, home: string) => Promise<void>;
}

/**
 * Builds a recipe unless that has been done before, by any test worker of any run, and returns the
 * directory with the result. It is readable by every user and complete: the work happens beside it
 * and one rename publishes it.
 */
export async function buildOnce(recipe: Recipe): Promise<string> {
  const store = openStore();
  const result = join(store, `${recipe.name}-${recipe.key}`);
  if (!existsSync(result)) {
    const release = await lock(join(store, recipe.name), {
      realpath: false,
      retries: { forever: true, factor: 1, minTimeout: 250, maxTimeout: 250 },
    });
    try {
      if (!existsSync(result)) {
        removeLeftovers(store, recipe.name);
        const work = mkdtempSync(join(store, `${recipe.name}-building-`));
        await recipe.build(work, result);
        await execa("chmod", ["-R", "a+rX,go-w", work]);
        renameSync(work, result);
      }
    } finally {
      await release();
    }
  }
  const now = new Date();
  utimesSync(result, now, now);
  return result;
}

/** A key for what files of source code decide. */
export function keyOfSources(sources: readonly URL[]): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    hash.update(readFileSync(source)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

/** The directory of all results; one that somebody else could have filled is refused. */
function openStore(): string {
  const store = join(scratchRoot(), `stage-rootfs-test-images-${process.getuid?.() ?? 0}`);
  mkdirSync(store, { recursive: true, mode: 0o755 });
  const found = lstatSync(store);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${store} was made by somebody else or is writable by others: remove it.`);
  }
  chmodSync(store, 0o755);
  return store;
}

/** Under the lock: what a killed build left, and results of this recipe that went out of use. */
function removeLeftovers(store: string, name: string): void {
  for (const entry of readdirSync(store)) {
    const path = join(store, entry);
    const unused = () => Date.now() - lstatSync(path).mtimeMs > UNUSED_FOR_MS;
    if (entry.startsWith(`${name}-building-`) || (entry.startsWith(`${name}-`) && unused())) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
