import { describe, expect, test } from "vitest";
import { nodeLine, resultLines, summaryEvent, troubleLines } from "../../src/cli/fleet-text.js";
import type { FleetReport, NodeResult } from "../../src/fleet/warm/fleet-event.js";

function result(node: string, outcome: NodeResult["outcome"], more: Partial<NodeResult> = {}) {
  const counts = { ready: 1, failed: 0, skipped: 0, ms: 1234 };
  return { type: "result", node, outcome, ...counts, error: null, ...more } as const;
}

const gone = { code: "REGISTRY", message: "gone", hint: "wait" } as const;

const report: FleetReport = {
  schemaVersion: 1,
  nodes: [result("n2", "warm"), result("n1", "warm"), result("n3", "failed", { error: gone })],
  failures: [
    { image: "a.tar", error: gone, nodes: ["n1", "n2"] },
    { image: "b.tar", error: { code: "NOT_FOUND", message: "no b.tar" }, nodes: ["n1"] },
    { image: null, error: gone, nodes: ["n3"] },
  ],
  leftOut: [{ image: "c.tar", error: { code: "NO_SPACE", message: "budget" }, nodes: ["n1"] }],
  shared: [{ cacheDirectory: "/c", nodes: ["n1", "n2"] }],
  exitStatus: 1,
  ms: 5,
};

test("the result names the nodes by how they ended", () => {
  expect(resultLines(report)).toEqual(["warm     n[1-2]", "failed   n3"]);
});

test("what is the same on several nodes is said once", () => {
  expect(troubleLines(report)).toEqual([
    "stage-rootfs: left out: n1: c.tar: budget",
    "stage-rootfs: n[1-2]: a.tar: gone (wait)",
    "stage-rootfs: n1: no b.tar",
    "stage-rootfs: n3: gone (wait)",
    "stage-rootfs: warning: n[1-2] have one and the same /c (give each a disk of its own with --cache-dir; shared, every node waits for the others, and jobs read images over the network)",
  ]);
});

test("failures without end are counted", () => {
  const failures = Array.from({ length: 25 }, (_, i) => {
    return { image: null, error: { ...gone, message: `gone ${i}` }, nodes: [`n${i}`] };
  });
  const lines = troubleLines({ ...report, failures, leftOut: [], shared: [] });
  expect(lines.length).toBe(21);
  expect(lines.at(-1)).toBe("stage-rootfs: there are 5 further failures: --json tells all");
});

test("the last line of JSON sums up", () => {
  expect(summaryEvent(report)).toEqual({
    type: "summary",
    schemaVersion: 1,
    nodes: { total: 3, warm: 2, staged: 0, partial: 0, failed: 1 },
    failures: [
      { image: "a.tar", error: gone, nodes: "n[1-2]" },
      { image: "b.tar", error: { code: "NOT_FOUND", message: "no b.tar" }, nodes: "n1" },
      { image: null, error: gone, nodes: "n3" },
    ],
    leftOut: [{ image: "c.tar", error: { code: "NO_SPACE", message: "budget" }, nodes: "n1" }],
    shared: [{ cacheDirectory: "/c", nodes: "n[1-2]" }],
    exitStatus: 1,
    ms: 5,
  });
});

describe("a log", () => {
  const step = { type: "step", node: "n1", attempt: 1, error: null } as const;
  test.each([
    [result("n1", "warm"), "n1: warm, 1 image, 1.2 s"],
    [result("n1", "staged", { ready: 2 }), "n1: staged, 2 images, 1.2 s"],
    [result("n1", "partial", { failed: 1, skipped: 1 }), "n1: 1 of 3 images ready, 1.2 s"],
    [result("n1", "failed", { error: gone }), "n1: gone (wait)"],
    [{ ...step, state: "queued" } as const, "n1 has no room yet; its job waits"],
    [{ ...step, state: "retrying", error: gone } as const, "n1: gone (wait); it is tried again"],
    [{ type: "log", node: "n1", text: "odd" } as const, "n1 says: odd"],
    [
      { type: "shared", nodes: ["n1", "n2"], cacheDirectory: "/c" } as const,
      "warning: n[1-2] have one and the same /c",
    ],
  ])("has of %j: %s", (event, line) => {
    expect(nodeLine(event)).toBe(`stage-rootfs: ${line}`);
  });

  test("has no line for what only the table shows", () => {
    expect(nodeLine({ ...step, state: "starting" })).toBeUndefined();
    expect(
      nodeLine({ type: "end", node: "n1", ready: 1, failed: 0, skipped: 0, ms: 1 }),
    ).toBeUndefined();
  });
});
