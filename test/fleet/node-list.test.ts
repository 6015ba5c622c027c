import { describe, expect, test } from "vitest";
import { compressNodeList, expandNodeList } from "../../src/fleet/node-list.js";
import { FakePrograms } from "../support/fake-programs.js";

describe("names of nodes", () => {
  test.each([
    [[], ""],
    [["n1"], "n1"],
    [["login"], "login"],
    [["n1", "n2", "n3"], "n[1-3]"],
    [["n3", "n1", "n2", "n7"], "n[1-3,7]"],
    [["n1", "n1"], "n1"],
    [["n9", "n10", "n11"], "n[9-11]"],
    [["n009", "n010", "n1"], "n[1,009-010]"],
    [["n08", "n9"], "n[08,9]"],
    [["gpu2", "cpu1", "gpu1", "login"], "cpu1,gpu[1-2],login"],
    [["r1n1", "r1n2", "r2n1"], "r1n[1-2],r2n1"],
    [["n", "n1", "n2"], "n,n[1-2]"],
    [
      ["n99999999999999999998", "n99999999999999999999"],
      "n[99999999999999999998-99999999999999999999]",
    ],
  ])("%j are written %s", (names, list) => {
    expect(compressNodeList(names)).toBe(list);
  });

  test("are written quickly also where there are many", () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `n${String(i).padStart(5, "0")}`);
    expect(compressNodeList(names.toReversed())).toBe("n[00000-19999]");
  });

  test("are those that Slurm says a list stands for, each once", async () => {
    const programs = new FakePrograms();
    programs.make("scontrol", "printf 'n1\\nn2\\nn1\\n'");
    expect(await expandNodeList("n[1-2],n1")).toEqual(["n1", "n2"]);
    expect(programs.calls("scontrol")).toEqual(["show hostnames n[1-2],n1"]);
  });
});
