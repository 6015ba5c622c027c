import { expect, test } from "vitest";
import type { ErrorCode } from "../../../src/errors.js";
import { isWorthRetrying, pauseBeforeRetry } from "../../../src/stage/warm/retry-rule.js";

test.each<[ErrorCode, boolean]>([
  ["REGISTRY", true],
  ["BUSY", true],
  ["NOT_FOUND", false],
  ["AUTH", false],
  ["NO_SPACE", false],
  ["DIGEST_MISMATCH", false],
  ["CANCELLED", false],
])("%s is worth another try: %s", (code, isWorth) => {
  expect(isWorthRetrying({ code })).toBe(isWorth);
});

test.each([
  [1, 1000, 2000],
  [2, 2000, 4000],
  [5, 16_000, 32_000],
  [9, 30_000, 60_000],
])("after %i tries it waits between %i and %i ms", (failures, least, most) => {
  expect(pauseBeforeRetry(failures, { random: 0 })).toBe(least);
  expect(pauseBeforeRetry(failures, { random: 1 })).toBe(most);
});
