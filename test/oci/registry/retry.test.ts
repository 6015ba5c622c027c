import { describe, expect, test } from "vitest";
import {
  isPassing,
  longestPause,
  parseRetryAfter,
  pauseAfterFailure,
} from "../../../src/oci/registry/retry.js";

describe("pauseAfterFailure", () => {
  test("doubles with each failure, and is at least half of that", () => {
    const pauses = [1, 2, 3, 4].map((failures) =>
      [0, 1].map((random) => pauseAfterFailure(failures, { retryAfter: undefined, random })),
    );
    expect(pauses).toEqual([
      [125, 250],
      [250, 500],
      [500, 1000],
      [1000, 2000],
    ]);
  });

  test("is no shorter than the server asks for, and not the same for everybody", () => {
    const [least, most] = [0, 1].map((random) =>
      pauseAfterFailure(1, { retryAfter: 3000, random }),
    );
    expect(least).toBeGreaterThan(3000);
    expect(most).toBeGreaterThan(least ?? 0);
  });

  test("gives up where the server asks for too long", () => {
    const options = { retryAfter: longestPause + 1, random: 0 };
    expect(pauseAfterFailure(1, options)).toBeUndefined();
    expect(pauseAfterFailure(1, { ...options, retryAfter: longestPause })).toBeDefined();
  });
});

test.for([
  [200, false],
  [206, false],
  [401, false],
  [404, false],
  [408, true],
  [429, true],
  [500, true],
  [501, false],
  [503, true],
] as const)("status %i is worth another try: %s", ([status, isWorth]) => {
  expect(isPassing(status)).toBe(isWorth);
});

test.for([
  [undefined, undefined],
  ["3", 3000],
  [" 0 ", 0],
  ["Sun, 22 Nov 2026 12:00:10 GMT", 10_000],
  ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
  ["soon", undefined],
  ["-5", undefined],
  ["1e99", undefined],
] as const)("Retry-After: %s asks for %s ms", ([header, ms]) => {
  const noon = Date.UTC(2026, 10, 22, 12);
  const asked = parseRetryAfter(header, noon);
  // "-5" is a date to some.
  if (header === "-5") expect(asked ?? 0).toBe(0);
  else expect(asked).toBe(ms);
});
