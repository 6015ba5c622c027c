import { describe, expect, test } from "vitest";
import { fuzz, type Outcomes } from "./fuzz.js";
import type { Target } from "./fuzz-case.js";
import { archives } from "./targets/archives.js";
import { blobs } from "./targets/blobs.js";
import { documents } from "./targets/documents.js";
import { images } from "./targets/images.js";
import { layers } from "./targets/layers.js";
import { tar } from "./targets/tar.js";

const day = 24 * 3600 * 1000;

const runs = numberFrom("FUZZ_RUNS") ?? 20_000;
/** The same inputs in every run of the suite; `npm run fuzz` tries others each time. */
const usualSeed = 20_000;
const seed = numberFrom("FUZZ_SEED") ?? usualSeed;
const only = { target: process.env["FUZZ_TARGET"], number: numberFrom("FUZZ_CASE") };

/** So many inputs come to whatever is common. */
const many = 600;

describe(`mutated inputs (FUZZ_SEED=${seed} FUZZ_RUNS=${runs})`, () => {
  const targets = [documents, tar, layers, blobs, archives, images];
  const wanted = targets.filter(({ name }) => only.target === undefined || only.target === name);

  test.each(wanted)("$name end in a result or a refusal", { timeout: day }, async (target) => {
    const from = only.number ?? 0;
    const to = only.number === undefined ? countOf(target) : from + 1;
    const outcomes = await fuzz(target, { seed, from, to });
    process.stdout.write(summary(target, outcomes));
    expect(total(outcomes)).toBe(to - from);
    if (to - from >= many)
      expect([...outcomes.keys()]).toEqual(expect.arrayContaining([...target.reaches]));
  });
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

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`${variable} is not a number: ${text}`);
}
