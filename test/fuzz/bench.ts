import { chmodSync, mkdtempSync, readdirSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { removeTree } from "../../src/host/remove-tree.js";
import { makeCanary } from "../support/canary.js";
import type { Bench } from "./run-case.js";

/** A bench that knows what it should look like between two cases. */
export interface OwnBench extends Bench {
  /** @throws Error when the last cases have left something behind */
  checkTidy(): void;
  remove(): void;
}

/** How many files may be open that were not at the beginning: those that a next case may need. */
const openLimit = 32;

/** Makes a bench, in memory where there is room, and the working directory of it. */
export function setUpBench(): OwnBench {
  const directory = mkdtempSync(`${parent()}/stage-rootfs-fuzz-`);
  chmodSync(directory, 0o755);
  const canary = makeCanary(`${directory}/canary`);
  const home = process.cwd();
  process.chdir(directory);
  const openBefore = openFiles();
  return {
    directory,
    canary,
    checkTidy() {
      const left = readdirSync(directory).filter((name) => name !== "canary");
      if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
      const open = openFiles();
      if (open > openBefore + openLimit) {
        throw new Error(`${open} open files, after ${openBefore} at the beginning`);
      }
      const added = Object.keys(Object.prototype);
      if (added.length > 0) throw new Error(`all objects have got ${added.join(", ")}`);
    },
    remove() {
      process.chdir(home);
      removeTree(directory);
    },
  };
}

/** To make and remove many files takes far longer on a disk. */
function parent(): string {
  const memory = "/dev/shm";
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > 1024 ** 3 ? memory : tmpdir();
  } catch {
    // No such thing on this machine.
    return tmpdir();
  }
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}
