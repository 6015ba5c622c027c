import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FleetDisplay } from "../../src/cli/fleet-display.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A display of two nodes, and what it writes. */
function display() {
  const written: string[] = [];
  const terminal = {
    write: (text: string) => written.push(text),
    size: () => ({ columns: 80, rows: 10 }),
  };
  const now = () => Date.now();
  return { written, shown: new FleetDisplay(["a"], { nodes: ["n1", "n2"], terminal, now }) };
}

const starting = { type: "step", node: "n1", state: "starting", attempt: 1, error: null } as const;

describe("the display of a fleet", () => {
  test("is drawn ten times a second at most, and once a second at least", () => {
    const { shown, written } = display();
    for (let i = 0; i < 100; i++) {
      shown.add(starting);
      vi.advanceTimersByTime(10);
    }
    expect(written.length).toBeLessThanOrEqual(11);
    expect(written.length).toBeGreaterThanOrEqual(9);
    const before = written.length;
    vi.advanceTimersByTime(3000);
    expect(written.length - before).toBe(3);
    shown.close();
    const atTheEnd = written.length;
    vi.advanceTimersByTime(3000);
    expect(written.length).toBe(atTheEnd);
  });

  test("is drawn in its place", () => {
    const { shown, written } = display();
    vi.advanceTimersByTime(100);
    shown.add(starting);
    vi.advanceTimersByTime(100);
    const lines = (first: string) =>
      `stage-rootfs: 1 image on 2 nodes, 0 s\nNODE  a\nn1    ${first}\nn2    to come\n`;
    const noWrap = (text: string) => `\u001b[?7l${text}\u001b[?7h`;
    expect(written).toEqual([
      noWrap(`${lines("to come")}2 to come\n`),
      `\u001b[5A\r\u001b[0J${noWrap(`${lines("starting")}1 starting, 1 to come\n`)}`,
    ]);
  });

  test("leaves what nodes say above it", () => {
    const { shown, written } = display();
    vi.advanceTimersByTime(100);
    shown.add({ type: "log", node: "n1", text: "odd" });
    expect(written.slice(1, 3)).toEqual(["\u001b[5A\r\u001b[0J", "stage-rootfs: n1 says: odd\n"]);
    expect(written[3]).toMatch(/^\S*stage-rootfs: 1 image/);
  });
});
