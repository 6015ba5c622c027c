import { describe, expect, test } from "vitest";
import type { ErrorReport } from "../../../src/errors.js";
import type { FleetEvent, NodeResult } from "../../../src/fleet/warm/fleet-event.js";
import { FleetTally } from "../../../src/fleet/warm/fleet-tally.js";

const gone: ErrorReport = { code: "REGISTRY", message: "gone" };
const budget: ErrorReport = { code: "NO_SPACE", message: "budget" };
const late: ErrorReport = { code: "BUSY", message: "late" };

function result(node: string, more: Partial<NodeResult> = {}): NodeResult {
  const counts = { ready: 1, failed: 0, skipped: 0, ms: 1 };
  return { type: "result", node, outcome: "staged", ...counts, error: null, ...more };
}

function bad(node: string, more: { state?: "failed" | "skipped"; error?: ErrorReport } = {}) {
  return { type: "image", node, image: "a", state: "failed", error: gone, ...more } as const;
}

function report(...events: readonly FleetEvent[]) {
  const tally = new FleetTally();
  for (const event of events) tally.add(event);
  return tally.report({ ms: 5 });
}

const none = { outcome: "failed", ready: 0 } as const;

describe("the exit status of many nodes", () => {
  test.each<[string, readonly FleetEvent[], number]>([
    ["all ready", [result("n1"), result("n2", { outcome: "warm" })], 0],
    ["some nodes ready", [result("n1"), result("n2", { ...none, error: late })], 1],
    ["some images ready", [bad("n1"), result("n1", { outcome: "partial", failed: 1 })], 1],
    ["none ready", [bad("n2"), result("n2", none), result("n1", { ...none, error: late })], 69],
    [
      "none ready, another first",
      [result("n1", { ...none, error: late }), bad("n2"), result("n2", none)],
      75,
    ],
  ])("with %s", (_, events, status) => {
    expect(report(...events).exitStatus).toBe(status);
  });
});

describe("what went wrong", () => {
  test("in the same way is one failure, with its nodes, the most frequent first", () => {
    const { failures, leftOut } = report(
      result("n1", { ...none, error: late }),
      ...[bad("n2"), bad("n2", { state: "skipped", error: budget }), result("n2", none)],
      ...[bad("n3"), bad("n3", { state: "skipped", error: budget }), result("n3", none)],
    );
    expect(failures).toEqual([
      { image: "a", error: gone, nodes: ["n2", "n3"] },
      { image: null, error: late, nodes: ["n1"] },
    ]);
    expect(leftOut).toEqual([{ image: "a", error: budget, nodes: ["n2", "n3"] }]);
  });

  test("for lack of time is a failure too", () => {
    const { failures } = report(bad("n1", { state: "skipped", error: late }), result("n1", none));
    expect(failures).toEqual([{ image: "a", error: late, nodes: ["n1"] }]);
  });

  test("in a try that was not the last is forgotten", () => {
    const again = { type: "step", node: "n1", state: "retrying", attempt: 2, error: late } as const;
    expect(report(bad("n1"), again, result("n1"))).toMatchObject({ failures: [], exitStatus: 0 });
  });
});

test("a directory that nodes share is told with all of them", () => {
  const node = (name: string, sharedWith: string[]) => {
    return { type: "node", node: name, cacheDirectory: "/c", sharedWith } as const;
  };
  const events = [node("n1", []), node("n2", ["n1"]), node("n3", ["n1"])];
  expect(report(...events).shared).toEqual([{ cacheDirectory: "/c", nodes: ["n1", "n2", "n3"] }]);
  expect(report(node("n1", []), node("n2", [])).shared).toEqual([]);
});
