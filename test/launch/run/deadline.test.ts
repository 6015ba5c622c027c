import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { callAfter } from "../../../src/launch/run/deadline.js";

describe("callAfter", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([5, 2 ** 31 - 1, 2 ** 31, 5e9])("acts once, %i ms later", (ms) => {
    const act = vi.fn();
    callAfter(ms, act);
    vi.advanceTimersByTime(ms - 1);
    expect(act).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(1e10);
    expect(act).toHaveBeenCalledOnce();
  });

  test("can be called off, however long it waits", () => {
    const act = vi.fn();
    const callOff = callAfter(5e9, act);
    vi.advanceTimersByTime(4e9);
    callOff();
    vi.advanceTimersByTime(1e10);
    expect(act).not.toHaveBeenCalled();
  });
});
