import { describe, expect, test } from "vitest";
import { fuzzSettings, notWanted } from "../support/fuzz-settings.js";
import { fuzz, type Outcomes } from "./fuzz.js";
import type { Target } from "./fuzz-case.js";
import { archives } from "./targets/archives.js";
import { blobs } from "./targets/blobs.js";
import { documents } from "./targets/documents.js";
import { images } from "./targets/images.js";
import { layers } from "./targets/layers.js";
import { tar } from "./targets/tar.js";

const day = 24 * 3600 * 1000;

const { seed, runs, number } = fuzzSettings();

/** So many inputs come to whatever is common. */
const many = 600;

describe(`mutated inputs (FUZZ_SEED=${seed} FUZZ_RUNS=${runs})`, () => {
  const targets = [documents, tar, layers, blobs, archives, images];
  const named = targets.map((target) => [target.name, target] as const);

  test.for(named)(
    "%s end in a result or a refusal",
    { timeout: day },
    async ([name, target], test) => {
      test.skip(notWanted(name), "FUZZ_TARGET asks for something else");
      const from = number ?? 0;
      const to = number === undefined ? countOf(target) : from + 1;
      const outcomes = await fuzz(target, { seed, from, to });
      process.stdout.write(summary(target, outcomes));
      expect(total(outcomes)).toBe(to - from);
      if (to - from >= many)
        expect([...outcomes.keys()]).toEqual(expect.arrayContaining([...target.reaches]));
    },
  );
});

function countOf({ share }: Target): number {
  return Math.ceil((runs * share) / 100);
}

function summary({ name }: Target, outcomes: Outcomes): string {
  const sorted = [...outcomes].sort((a, b) => b[1] - a[1]);
  const told = sorted.map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  return `FUZZ_SEED=${seed} ${name}: ${total(outcomes)} inputs: ${told}\n`;
}

function total(outcomes: Outcomes): number {
  return [...outcomes.values()].reduce((sum, count) => sum + count, 0);
}
