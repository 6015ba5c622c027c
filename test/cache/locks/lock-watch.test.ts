import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LockWatch } from "../../../src/cache/locks/lock-watch.js";
import { now } from "../../../src/host/clock.js";

vi.mock("../../../src/host/clock.js", () => ({ now: vi.fn() }));

const noon = Date.UTC(2030, 0, 1, 12);
const second = 1000;
const minute = 60 * second;

beforeEach(() => void vi.useFakeTimers({ now: noon, toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** Looks at a lock at times of the steady clock and of the machine's, and tells what was seen. */
function looks(all: readonly { at: number; clock?: number; touched: number; name?: string }[]) {
  const watch = new LockWatch();
  return all.map(({ at, clock = noon + at, touched, name = "owner" }) => {
    vi.mocked(now).mockReturnValue(500 * second + at);
    vi.setSystemTime(clock);
    return watch.isSilent({ name, mtime: new Date(touched) });
  });
}

describe("a lock whose owner can't be looked for", () => {
  test.each([
    ["that shows signs of life", noon + 8 * second, noon + 16 * second],
    ["whose owner's clock stands still no longer than it may", noon, noon],
  ])("%s is not silent", (_, second1, second2) => {
    const times = [
      { at: 0, touched: noon },
      { at: 9 * second, touched: second1 },
      { at: 9.9 * second, touched: second2 },
    ];
    expect(looks(times)).toEqual([false, false, false]);
  });

  test("is silent when nothing has changed while it was watched", () => {
    const times = [0, 5, 10, 10.1].map((s) => ({ at: s * second, touched: noon }));
    expect(looks(times)).toEqual([false, false, false, true]);
  });

  test("is watched anew when another has it", () => {
    const times = [
      { at: 0, touched: noon },
      { at: 9 * second, touched: noon, name: "another" },
      { at: 18 * second, touched: noon, name: "another" },
      { at: 19.1 * second, touched: noon, name: "another" },
    ];
    expect(looks(times)).toEqual([false, false, false, true]);
  });

  test.each([
    ["an hour ahead", 60 * minute],
    ["a day back", -24 * 60 * minute],
  ])("is watched all the same when its times are %s", (_, offset) => {
    const times = [0, 9, 10.1].map((s) => ({
      at: s * second,
      touched: noon + Math.max(0, offset),
      clock: noon + Math.min(0, offset) + s * second,
    }));
    expect(looks(times)).toEqual([false, false, true]);
  });

  test("is not silent because the machine's clock jumps ahead by minutes", () => {
    const times = [
      { at: 0, touched: noon },
      { at: second, clock: noon + 9 * minute, touched: noon },
    ];
    expect(looks(times)).toEqual([false, false]);
  });

  test("is silent at first sight when it has been for long", () => {
    expect(looks([{ at: 0, touched: noon - 11 * minute }])).toEqual([true]);
  });
});
