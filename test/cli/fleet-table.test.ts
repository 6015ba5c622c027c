import { describe, expect, test } from "vitest";
import { fleetTable } from "../../src/cli/fleet-table.js";
import type { FleetEvent } from "../../src/fleet/warm/fleet-event.js";
import { afterEvent, type FleetView, startView } from "../../src/fleet/warm/fleet-view.js";

const images = ["docker://host/team/debian:12", "/images/app.tar"];

function viewAfter(
  nodes: readonly string[],
  events: readonly FleetEvent[],
  of = images,
): FleetView {
  const start = startView(of, nodes);
  const views = new Map(start.nodes);
  for (const event of events) {
    const view = "node" in event ? views.get(event.node) : undefined;
    if (view) views.set(view.node, afterEvent(view, event));
  }
  return { images: of, nodes: views };
}

const step = (node: string, state: "starting" | "queued" | "retrying") => {
  const error = state === "retrying" ? ({ code: "BUSY", message: "no luck" } as const) : null;
  return { type: "step", node, state, attempt: 1, error } as const;
};

function image(node: string, which: number, state: "staging" | "waiting", finished?: number) {
  const layers = finished === undefined ? null : { finished, total: 7 };
  const name = images[which] ?? "";
  return { type: "image", node, image: name, state, attempt: 1, layers, error: null } as const;
}

function ready(node: string, which: number, state: "hit" | "staged") {
  const sizes = { key: "k", rootfs: "/r", unpackedSize: 1, fetched: 0, ms: 1 };
  return { type: "image", node, image: images[which] ?? "", state, ...sizes } as const;
}

function bad(node: string, which: number, state: "failed" | "skipped") {
  const error = { code: "REGISTRY", message: "the registry is gone" } as const;
  return { type: "image", node, image: images[which] ?? "", state, error } as const;
}

function result(node: string, outcome: "warm" | "staged" | "partial" | "failed", message?: string) {
  const error = message === undefined ? null : ({ code: "BUSY", message } as const);
  const counts = { ready: 0, failed: 0, skipped: 0, ms: 1 };
  return { type: "result", node, outcome, ...counts, error } as const;
}

const wide = { columns: 80, rows: 24, elapsedMs: 61_000 };

describe("the table of nodes and images", () => {
  test("has a cell for each image of each node, and what is wrong beside it", () => {
    const events = [
      ...[step("n2", "queued"), step("n3", "retrying"), step("n4", "starting")],
      ...[ready("n4", 0, "hit"), image("n4", 1, "staging")],
      ...[image("n5", 0, "staging", 3), ready("n6", 0, "staged"), image("n6", 1, "waiting")],
      ...[bad("n7", 0, "failed"), ready("n7", 1, "staged"), result("n7", "partial")],
      ...[bad("n8", 0, "skipped"), result("n9", "failed", "the node is drained")],
    ];
    const nodes = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];
    expect(fleetTable(viewAfter(nodes, events), wide)).toEqual([
      "stage-rootfs: 2 images on 9 nodes, 1 min 1 s",
      "NODE  debian:12  app.tar",
      "n1    to come",
      "n2    queued",
      "n3    again soon: no luck",
      "n4    warm       staging",
      "n5    3/7        -",
      "n6    staged     waiting",
      "n7    FAILED     staged    the registry is gone",
      "n8    left out   -",
      "n9    FAILED: the node is drained",
      "1 partly ready, 1 FAILED, 4 at work, 1 queued, 1 again soon, 1 to come",
    ]);
  });

  test("shows trouble first and what is under way where not all have room, and counts the rest", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => `n${i}`);
    const events = [
      ...nodes.slice(0, 5000).map((node) => result(node, "warm")),
      ...nodes.slice(5000, 5064).map((node) => image(node, 0, "staging", 1)),
      result("n5070", "failed", "gone"),
      step("n5071", "starting"),
    ];
    const lines = fleetTable(viewAfter(nodes, events), { ...wide, rows: 8 });
    expect(lines).toEqual([
      "stage-rootfs: 2 images on 20000 nodes, 1 min 1 s",
      "NODE   debian:12  app.tar",
      "n5070  FAILED: gone",
      "n5000  1/7        -",
      "n5001  1/7        -",
      "n5002  1/7        -",
      "5000 warm, 1 FAILED, 64 at work, 1 starting, 14934 to come",
    ]);
  });

  test("counts the images of each node where they have no room side by side", () => {
    const many = [...images, ...Array.from({ length: 40 }, (_, i) => `/images/${i}.tar`)];
    const events = [
      ...[ready("n1", 0, "hit"), image("n1", 1, "staging", 2)],
      ...[bad("n2", 0, "failed"), ready("n2", 1, "staged"), result("n3", "failed", "gone")],
    ];
    expect(fleetTable(viewAfter(["n1", "n2", "n3"], events, many), wide).slice(1, -1)).toEqual([
      "NODE  READY  IMAGE",
      "n1    1/42   app.tar 2/7",
      "n2    1/42   the registry is gone",
      "n3    FAILED: gone",
    ]);
  });

  test.each([
    [10, 3],
    [1, 1],
    [30, 6],
    [500, 100],
  ])("never is larger than a terminal of %i columns and %i rows", (columns, rows) => {
    const nodes = Array.from({ length: 50 }, (_, i) => `node-with-a-long-name-${i}`);
    const events = nodes.map((node) => result(node, "failed", "x".repeat(300)));
    const lines = fleetTable(viewAfter(nodes, events), { columns, rows, elapsedMs: 0 });
    expect(lines.length).toBeLessThanOrEqual(Math.max(2, rows - 1));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test("is plain text, whatever images and nodes are called", () => {
    const of = ["/a\u001b[2J\n.tar"];
    const [, head] = fleetTable(viewAfter(["n1"], [], of), wide);
    expect(head).toBe("NODE  a\\x1b[2J\\x0a.tar");
  });

  test("is made quickly for 20,000 nodes", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => `n${i}`);
    const view = viewAfter(
      nodes,
      nodes.map((node) => image(node, 0, "staging", 1)),
    );
    const start = performance.now();
    for (let i = 0; i < 10; i++) fleetTable(view, wide);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

test("a node that is tried again begins anew", () => {
  const events = [bad("n1", 0, "failed"), step("n1", "retrying"), step("n1", "starting")];
  const node = { type: "node", node: "n1", cacheDirectory: "/c", sharedWith: [] } as const;
  const view = viewAfter(["n1"], [...events, node]).nodes.get("n1");
  expect(view).toEqual({ node: "n1", phase: "working", images: new Map(), trouble: undefined });
});
