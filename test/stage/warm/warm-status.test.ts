import { expect, test } from "vitest";
import type { ErrorCode } from "../../../src/errors.js";
import { type WarmEnd, warmStatus } from "../../../src/stage/warm/warm-status.js";

const hit: WarmEnd = { state: "hit" };
const staged: WarmEnd = { state: "staged" };
const failed = (code: ErrorCode): WarmEnd => ({ state: "failed", error: { code, message: "" } });
const skipped = (code: ErrorCode): WarmEnd => ({ state: "skipped", error: { code, message: "" } });
const beyondBudget = skipped("NO_SPACE");
const tooLate = skipped("BUSY");

test.each<[what: string, status: number, ends: readonly WarmEnd[]]>([
  ["all are ready", 0, [hit, staged]],
  ["the budget left some out", 0, [hit, beyondBudget]],
  ["the budget left all out", 0, [beyondBudget]],
  ["one failed", 1, [failed("NOT_FOUND"), staged]],
  ["one was not reached", 1, [hit, tooLate]],
  ["all failed, as the first one did", 69, [failed("REGISTRY"), failed("NOT_FOUND")]],
  ["none was reached", 75, [tooLate, tooLate]],
  ["none is ready, whatever the budget left out", 66, [beyondBudget, failed("NOT_FOUND")]],
  ["the disk has no room for any", 73, [failed("NO_SPACE")]],
])("%s: %i", (_, status, ends) => {
  expect(warmStatus(ends)).toBe(status);
});
