import { describe, expect, test } from "vitest";
import {
  DEFAULTS,
  outcomeTable,
  parametersFrom,
  simulate,
  treeLevels,
  viaRegistry,
  viaSbcast,
  viaShared,
} from "../../../bench/fleet/simulate.mjs";

/** Figures with which it can be reckoned in one's head: 100 s to fetch, to unpack and to pack. */
const round = {
  ...DEFAULTS,
  ...{ nodes: 8, imageBytes: 1000, layers: 2, otherRequests: 3, documentBytes: 0 },
  ...{ registryRate: 40, nodeRate: 1000, sharedRate: 1e9, unpackRate: 10, packRate: 10 },
  ...{ requestLatency: 0, stepStart: 1, stepPerNode: 0, broadcastSteps: 4, stepsPerSecond: 1e9 },
  ...{ pieceBytes: 100, relayRate: 2000, hopLatency: 0.05, registryRequests: 1e9 },
};

describe("the reckoning of a fleet", () => {
  test.each([
    [1, 8 * 101],
    [4, 2 * 101],
    // Eight share what is enough for four.
    [8, 201],
    [100, 201],
  ])("has the last of eight nodes ready from a registry, %i at a time, after %i s", (fanIn, s) => {
    expect(viaRegistry(round, fanIn)).toMatchObject({
      requests: 8 * 5,
      registryBytes: 8000,
      coreBytes: 8000,
      seconds: s,
    });
  });

  test("knows how many steps can be started, and requests answered, in a second", () => {
    expect(viaRegistry({ ...round, stepsPerSecond: 0.01 }, 8).seconds).toBe(800);
    expect(viaRegistry({ ...round, registryRequests: 0.01 }, 8).seconds).toBe(4000);
  });

  test.each([
    [1, 2, 1],
    [2, 2, 1],
    [3, 2, 2],
    [6, 2, 2],
    [7, 2, 3],
    [50, 50, 1],
    [20_000, 50, 3],
  ])("hands a piece on to %i nodes by a tree of %i in %i steps", (nodes, width, levels) => {
    expect(treeLevels(nodes, width)).toBe(levels);
  });

  test("sends piece by piece, and reads the registry once", () => {
    // 10 pieces, 3 levels; each time 2 × 100 bytes at 1000 a second, and 100 ms to take and answer.
    const sending = 10 * 3 * 0.3;
    const outcome = viaSbcast(round, 2);
    expect(outcome).toMatchObject({ requests: 5, registryBytes: 1000, coreBytes: 9000 });
    expect(outcome.seconds).toBeCloseTo(4 + 100 + sending + 100);
  });

  test("reads a shared disk as fast as all nodes together may", () => {
    expect(viaShared(round).seconds).toBe(4 + 100 + 100);
    const slow = viaShared({ ...round, sharedRate: 8 });
    expect(slow).toMatchObject({ requests: 5, seconds: 4 + 100 + 1000 });
  });

  test("shows each way as a row, for other figures too", () => {
    const { columns, rows } = outcomeTable(simulate(parametersFrom(["nodes=10", "layers=1"])));
    expect(rows.map((row) => row.length)).toEqual(simulate().map(() => columns.length));
    expect(rows[0]?.[1]).toBe("40");
    for (const odd of ["node=1", "nodes=0", "nodes=x", "nodes"]) {
      expect(() => parametersFrom([odd])).toThrow(/expected NAME=NUMBER/);
    }
  });
});
