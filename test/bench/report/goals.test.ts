import { describe, expect, test } from "vitest";
import { goalTable } from "../../../bench/report/goals.mjs";
import { part, results, row } from "../support.js";

const onNode = (major: number, peakMiB = 10) => ({
  node: `${major}.1.0`,
  own: true,
  median: { seconds: major, cpuSeconds: null, peakMiB },
});

/** The cells of the goal with this text. */
function goal(text: string, of: ReturnType<typeof results>): readonly string[] {
  return goalTable(of).rows.find(([first]) => first === text) ?? [];
}

describe("goalTable", () => {
  test("has a column for each Node, and says who reaches the goal", () => {
    const system = part("system", [
      row("pigz", 40),
      row("stage-rootfs@26", 26, onNode(26)),
      row("stage-rootfs@20", 20, onNode(20)),
    ]);
    const table = goalTable(results([system]));
    expect(table.columns.map(({ title }) => title)).toEqual(["", "goal", "Node 20", "Node 26"]);
    expect(goal("system, pigz | tar", results([system]))).toEqual([
      "system, pigz | tar",
      "≤ 0.58",
      "0.50 ✓",
      "0.65 ✗",
    ]);
  });

  test("compares a Node with itself where the reference has a Node too", () => {
    const warm = part("warm", [
      row("node -e 0@20", 10, { node: "20.1.0" }),
      row("node -e 0@26", 13, { node: "26.1.0" }),
      row("stage-rootfs@20", 20, onNode(20)),
      row("stage-rootfs@26", 26, onNode(26)),
    ]);
    expect(goal("warm hit, node -e 0", results([warm])).slice(2)).toEqual(["2.00 ✗", "2.00 ✗"]);
  });

  test("counts the worst of several images", () => {
    const own = row("stage-rootfs@20", 20, onNode(20));
    const parts = [
      part("system", [row("podman", 40), own]),
      part("large", [row("podman", 10), own]),
      part("warm", [row("podman", 1), own]),
    ];
    expect(goal("all gzip images, podman pull", results(parts)).at(-1)).toBe("2.00 ✗");
  });

  test("asks a Node for zstd only if it has it", () => {
    const zstd = part("system-zstd", [
      row("zstd", 26),
      row("stage-rootfs@20", 20, onNode(20)),
      row("stage-rootfs@26", 26, onNode(26)),
    ]);
    const cells = goal("system in zstd, zstd | tar", results([zstd]));
    expect(cells.slice(2)).toEqual(["–", "1.00 ✓"]);
  });

  test("says nothing of what was not measured", () => {
    const system = part("system", [row("stage-rootfs@20", 20, onNode(20))]);
    expect(goal("system, umoci", results([system]))).toEqual(["system, umoci", "≤ 0.27", "–"]);
  });

  test("has the largest memory of stage-rootfs in any part", () => {
    const parts = [
      part("system", [row("stage-rootfs@20", 20, onNode(20, 151))]),
      part("warm", [
        row("stage-rootfs@20", 20, onNode(20, 90)),
        row("node -e 0@20", 20, { ...onNode(20, 900), own: false }),
      ]),
    ];
    expect(goal("memory, at the most", results(parts)).at(-1)).toBe("151 MiB ✗");
  });
});
