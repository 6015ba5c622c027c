import { expect, test } from "vitest";
import { layersInStages } from "../../../src/extract/pipeline/in-stages.js";

const mebibyte = 1024 ** 2;

interface Case {
  readonly what: string;
  readonly cores: number;
  /** In MiB. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly chosen: readonly string[];
}

const cases: readonly Case[] = [
  { what: "no layer", cores: 4, sizes: {}, chosen: [] },
  { what: "a lone large layer", cores: 2, sizes: { a: 100 }, chosen: ["a"] },
  { what: "a lone large layer on one core", cores: 1, sizes: { a: 1000 }, chosen: [] },
  { what: "a lone small layer", cores: 8, sizes: { a: 31.99 }, chosen: [] },
  { what: "the least of large layers", cores: 2, sizes: { a: 32 }, chosen: ["a"] },
  { what: "one that outweighs the rest", cores: 2, sizes: { a: 10, b: 60, c: 40 }, chosen: ["b"] },
  { what: "two alike on two cores", cores: 2, sizes: { a: 50, b: 50 }, chosen: [] },
  { what: "two alike on three cores", cores: 3, sizes: { a: 50, b: 50 }, chosen: ["a"] },
  { what: "two alike on four cores", cores: 4, sizes: { a: 50, b: 50 }, chosen: ["a", "b"] },
  { what: "exactly a core's share", cores: 4, sizes: { a: 35, b: 35, c: 70 }, chosen: ["c"] },
  { what: "many alike", cores: 4, sizes: { a: 20, b: 20, c: 20, d: 20, e: 20 }, chosen: [] },
  {
    what: "more large ones than stages are of use for",
    cores: 5,
    sizes: { a: 50, b: 52, c: 51, d: 1 },
    chosen: ["b", "c"],
  },
  {
    what: "large ones beside small ones",
    cores: 8,
    sizes: { a: 31, b: 33, c: 33 },
    chosen: ["b", "c"],
  },
];

test.each(cases)("of $what on $cores cores, $chosen are unpacked in stages", (each) => {
  const layers = Object.entries(each.sizes).map(([diffId, size]) => {
    return { diffId, size: size * mebibyte };
  });
  for (const order of [layers, [...layers].reverse()]) {
    const chosen = [...layersInStages(order, each.cores)].sort();
    // Of layers of one size any may be taken.
    expect(chosen.map((name) => each.sizes[name])).toEqual(
      each.chosen.map((name) => each.sizes[name]),
    );
  }
});
