import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProgressTeller } from "../../../src/stage/warm/progress-teller.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first is told at once, and of what follows the last one of each second", () => {
  const told: number[] = [];
  const teller = new ProgressTeller<number>((n) => told.push(n));
  for (const n of [1, 2, 3]) teller.tell(n);
  expect(told).toEqual([1]);
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([1, 3]);
  teller.tell(4);
  teller.close();
  vi.advanceTimersByTime(5000);
  expect(told).toEqual([1, 3]);
});
