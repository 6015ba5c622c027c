import { beforeEach, describe, expect, test, vi } from "vitest";
import { waitNarrator } from "../../src/cli/wait-narrator.js";
import { now } from "../../src/host/clock.js";
import { waitingFor } from "../support/waiting-event.js";

vi.mock("../../src/host/clock.js", () => ({ now: vi.fn() }));

beforeEach(() => void vi.mocked(now).mockReturnValue(1000));

describe("for somebody who looks on", () => {
  test.each([
    ["that it goes on", {}, false],
    ["that it takes longer", { elapsedMs: 9000, waitedMs: 9000 }, false],
    ["that another one is at it", { pid: 8 }, true],
    ["that one on another host is at it", { host: "n2" }, true],
    ["that it waits for something else", { what: "layer sha256:1" }, true],
    ["how far that one is", { layers: { finished: 1, total: 3 } }, true],
  ])("%s", (_, change, expected) => {
    const isWorthALine = waitNarrator({ atOnce: true });
    expect(isWorthALine(waitingFor())).toBe(true);
    expect(isWorthALine(waitingFor(change))).toBe(expected);
    expect(isWorthALine(waitingFor(change))).toBe(false);
  });

  test("progress is told once, whichever of the layers is waited for", () => {
    const isWorthALine = waitNarrator({ atOnce: true });
    const layers = { finished: 1, total: 3 };
    const events = ["layer a", "layer b"].map((what) => waitingFor({ what, layers }));
    expect(events.map(isWorthALine)).toEqual([true, false]);
  });
});

describe("for a log", () => {
  test("a wait is told of after a while, and then each minute", () => {
    const isWorthALine = waitNarrator({ atOnce: false });
    const saidAt: number[] = [];
    for (let waitedMs = 0; waitedMs <= 130_000; waitedMs += 1000) {
      vi.mocked(now).mockReturnValue(50_000 + waitedMs);
      if (isWorthALine(waitingFor({ waitedMs }))) saidAt.push(waitedMs);
    }
    expect(saidAt).toEqual([5000, 65_000, 125_000]);
  });

  test("several waits at once are told of like one", () => {
    const isWorthALine = waitNarrator({ atOnce: false });
    const events = ["layer a", "layer b"].map((what) => waitingFor({ what, waitedMs: 6000 }));
    expect(events.map(isWorthALine)).toEqual([true, false]);
  });
});
