import { expect, test } from "vitest";
import { Budget } from "../../../src/stage/warm/budget.js";

const base = ["base", 50] as const;

test("a layer that several images have counts once", () => {
  const budget = new Budget(100);
  budget.take("a", new Map([base, ["a", 20]]));
  budget.take("b", new Map([base, ["b", 10]]));
  expect(budget.taken).toBe(80);
  expect(budget.added(new Map([base, ["c", 20]]))).toBe(20);
});

test.each([
  [20, true],
  [21, false],
])("with 30 of 50 taken, %i more are allowed: %s", (size, isAllowed) => {
  const budget = new Budget(50);
  budget.take("a", new Map([["a", 30]]));
  expect(budget.allows(new Map([["b", size]]))).toBe(isAllowed);
});

test("what adds nothing is allowed even where too much is taken", () => {
  const budget = new Budget(10);
  budget.take("a", new Map([base]));
  expect(budget.allows(new Map([base]))).toBe(true);
});

test("what is known of an image last counts, for its layers in others too", () => {
  const budget = new Budget(100);
  budget.take("a", new Map([["shared", 40]]));
  budget.take("b", new Map([["shared", 40]]));
  budget.take("a", new Map([["shared", 60]]));
  expect(budget.taken).toBe(60);
  budget.take("a", new Map());
  expect(budget.taken).toBe(40);
});
