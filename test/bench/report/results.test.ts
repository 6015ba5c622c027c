import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { merged, ratioOf, readResults, writeResults } from "../../../bench/report/results.mjs";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { part, results, row } from "../support.js";

const order = ["a", "b", "c"];
const named = ({ parts }: ReturnType<typeof results>) => {
  return parts.map(({ name, rounds }) => `${name}${rounds}`);
};

describe("merged", () => {
  const old = results([part("a", [], { rounds: 1 }), part("b", [], { rounds: 1 })]);
  const fresh = results([part("c", [], { rounds: 2 }), part("b", [], { rounds: 2 })]);

  test("keeps what was not measured again, in the given order", () => {
    expect(named(merged(old, fresh, order))).toEqual(["a1", "b2", "c2"]);
  });

  test("drops what another machine has measured", () => {
    const elsewhere = { ...old, machine: { ...old.machine, cores: 64 } };
    expect(named(merged(elsewhere, fresh, order))).toEqual(["b2", "c2"]);
  });

  test("drops parts that there are no more", () => {
    expect(named(merged(old, fresh, ["b", "c"]))).toEqual(["b2", "c2"]);
  });

  test("is what is new when there is nothing old", () => {
    expect(named(merged(undefined, fresh, order))).toEqual(["b2", "c2"]);
  });
});

describe("result files", () => {
  test("are read as they were written", () => {
    const file = join(scratchDirectory(), "made", "results.json");
    const written = results([part("a", [row("x", 1)])]);
    writeResults(file, written);
    expect(readResults(file)).toEqual(written);
  });

  test("that are missing or of another form count as none", () => {
    const file = join(scratchDirectory(), "results.json");
    expect(readResults(file)).toBeUndefined();
    writeFileSync(file, JSON.stringify({ ...results([]), schemaVersion: 0 }));
    expect(readResults(file)).toBeUndefined();
  });
});

test("a ratio is of medians, and a reference has none", () => {
  const [reference, other] = [row("r", 4), row("o", 1, { against: "r" })];
  const both = part("a", [reference, other]);
  expect(ratioOf(both, other)).toBe(0.25);
  expect(ratioOf(both, reference)).toBeUndefined();
});
