import { mkdirSync } from "node:fs";
import { removeTree } from "../../src/host/remove-tree.js";
import type { Canary } from "../support/canary.js";
import { Dice } from "./dice.js";
import { type FuzzCase, mutantOf } from "./fuzz-case.js";

/** Where cases are run, one after another. */
export interface Bench {
  readonly directory: string;
  readonly canary: Canary;
}

/** What no case needs: it takes some milliseconds, and a machine may be slow and busy. */
const cpuLimit = 10;

/** How much a case may add to the memory that the process has ever had, in MiB. */
const memoryLimit = 512;

/**
 * Runs one case and checks what is the same for all: it left the canary alone, and took neither
 * very long nor much memory.
 * @returns what came of it
 * @throws whatever is a bug
 */
export async function runCase(fuzzCase: FuzzCase, bench: Bench): Promise<string> {
  const { canary } = bench;
  const { input } = mutantOf(fuzzCase);
  const directory = `${bench.directory}/case`;
  const memory = process.resourceUsage().maxRSS;
  const cpu = process.cpuUsage();
  mkdirSync(directory);
  try {
    const dice = new Dice(fuzzCase.siteSeed);
    const outcome = await fuzzCase.target.run(input, { directory, canary, dice });
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (user + system) / 1e6;
    if (seconds > cpuLimit) throw new Error(`took ${seconds} s of computing, and then: ${outcome}`);
    const more = (process.resourceUsage().maxRSS - memory) / 1024;
    if (more > memoryLimit) throw new Error(`took ${more} MiB of memory, and then: ${outcome}`);
    return outcome;
  } finally {
    removeTree(directory);
    canary.check();
  }
}
