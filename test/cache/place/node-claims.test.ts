import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { claimForNode } from "../../../src/cache/place/node-claims.js";
import { emptyCache } from "../../support/cache.js";
import { rejection } from "../../support/refusal.js";

const run = "0a1b";

describe("the nodes that use a cache in a run", () => {
  test("know of those that came before", () => {
    const { layout } = emptyCache();
    expect(claimForNode(layout, { run, node: "n1" })).toEqual([]);
    expect(claimForNode(layout, { run, node: "n2" })).toEqual(["n1"]);
    expect(claimForNode(layout, { run, node: "n3.site" }).toSorted()).toEqual(["n1", "n2"]);
  });

  test("are not their own neighbours when they are tried again", () => {
    const { layout } = emptyCache();
    for (let i = 0; i < 2; i++) expect(claimForNode(layout, { run, node: "n1" })).toEqual([]);
  });

  test("are those of that run alone", () => {
    const { layout } = emptyCache();
    claimForNode(layout, { run: "0a1", node: "n1" });
    claimForNode(layout, { run: "0a1b2", node: "n1" });
    expect(claimForNode(layout, { run, node: "n2" })).toEqual([]);
  });

  test("are forgotten after a week, unless they are of this run", () => {
    const { layout } = emptyCache();
    const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    for (const [other, node] of [
      ["ab", "n1"],
      ["cd", "n1"],
      [run, "n1"],
    ] as const) {
      claimForNode(layout, { run: other, node });
      if (other !== "cd") utimesSync(`${layout.nodes}/${other},${node}`, old, old);
    }
    expect(claimForNode(layout, { run, node: "n2" })).toEqual(["n1"]);
    expect(readdirSync(layout.nodes).toSorted()).toEqual([`${run},n1`, `${run},n2`, "cd,n1"]);
  });

  test("are few enough to be told", () => {
    const { layout } = emptyCache();
    for (let i = 0; i < 20; i++) claimForNode(layout, { run, node: `n${i}` });
    expect(claimForNode(layout, { run, node: "m" }).length).toBe(16);
  });

  test.each([
    ["../x", "n1"],
    [run, "../n1"],
    [run, ""],
    ["", "n1"],
    [run, "n".repeat(300)],
  ])("have names that lead nowhere else: run %j, node %.20j", (of, node) => {
    const { layout } = emptyCache();
    mkdirSync(layout.nodes);
    expect(claimForNode(layout, { run: of, node })).toEqual([]);
    expect(readdirSync(layout.nodes)).toEqual([]);
  });

  test("can't be noted where a file is in the way, which is said", async () => {
    const { layout } = emptyCache();
    writeFileSync(layout.nodes, "");
    const note = async () => claimForNode(layout, { run, node: "n1" });
    expect((await rejection(note())).message).toContain(layout.nodes);
  });
});
