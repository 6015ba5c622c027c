import { describe, expect, test } from "vitest";
import { dropPlaceArgv } from "../../../src/fleet/broadcast/drop-place.js";
import { holdArgv } from "../../../src/fleet/broadcast/held-nodes.js";
import { NodeLedger } from "../../../src/fleet/broadcast/node-ledger.js";
import { nodesStepArgv } from "../../../src/fleet/broadcast/node-steps.js";
import { planBroadcast } from "../../../src/fleet/broadcast/plan.js";
import { refusedBy, sendArgv } from "../../../src/fleet/broadcast/send-file.js";

const busy = { code: "BUSY", message: "no room" } as const;

function stateOf(node: string, state: string) {
  return { node, state, isResponding: true, reason: "", partitions: ["batch"] };
}

describe("the nodes of a broadcast", () => {
  const partitions = new Map([
    ["n1", "batch"],
    ["n2", "batch"],
    ["n3", "gpu"],
    ["n4", "batch"],
  ]);
  const usable = [...partitions.keys()];
  const way = { kind: "jobs", partitions } as const;

  test("are those that one job can have at once", () => {
    const states = [stateOf("n1", "idle"), stateOf("n2", "allocated"), stateOf("n4", "mixed")];
    const plan = planBroadcast({ way, usable, unusable: [] }, { states });
    expect(plan).toMatchObject({ nodes: ["n1", "n4"], job: undefined, partition: "batch" });
    expect(plan.others.map(({ node, error }) => [node, error.message])).toEqual([
      ["n2", "all of the node is in use"],
      ["n3", "the node is not in partition batch, as most are"],
    ]);
  });

  test("are all of an allocation, in use as they are", () => {
    const states = usable.map((node) => stateOf(node, "allocated"));
    const inside = { kind: "allocation", job: "7" } as const;
    const plan = planBroadcast({ way: inside, usable, unusable: [] }, { states });
    expect(plan).toEqual({ nodes: usable, job: "7", partition: undefined, others: [] });
  });
});

describe("what Slurm is told", () => {
  test("holds nodes with little, for a time, and without one that fails", () => {
    const argv = holdArgv(["n1", "n2", "n3"], { partition: "batch", startWithin: 9.5 });
    expect(argv.slice(0, 2)).toEqual(["srun", "--partition=batch"]);
    const flags = ["--nodelist=n[1-3]", "--nodes=3", "--ntasks=3", "--immediate=10", "--no-kill"];
    expect(argv).toEqual(expect.arrayContaining([...flags, "--oversubscribe", "--mem=1G"]));
  });

  test("makes a directory in a job that others use too", () => {
    const argv = dropPlaceArgv(["n1", "n3"], { job: "7", directory: "/a b/c" });
    expect(argv.slice(0, 3)).toEqual(["srun", "--jobid=7", "--overlap"]);
    expect(argv).toContain("--nodelist=n[1,3]");
    expect(argv.at(-1)).toBe("/a b/c");
  });

  test("sends a file to a step's nodes under its own name", () => {
    expect(sendArgv("/cache/tmp/x/app-1.tar", { step: "7.2", directory: "/local/drop" })).toEqual([
      "sbcast",
      "--force",
      "--jobid=7.2",
      "/cache/tmp/x/app-1.tar",
      "/local/drop/app-1.tar",
    ]);
  });

  test("runs the program there, and removes what it is done with", () => {
    const step = {
      job: "7",
      nodes: ["n1"],
      program: ["/bin/node", "x.cjs"],
      args: ["--offline"],
    } as const;
    const warm = ["/bin/node", "x.cjs", "warm", "--offline", "--json", "--nice", "--file", "-"];
    expect(nodesStepArgv(step).slice(-warm.length - 1)).toEqual(["--mpi=none", ...warm]);
    const removing = nodesStepArgv({ ...step, removes: "/local/drop/app.tar" });
    expect(removing.slice(-warm.length - 4)).toEqual([
      ...["/bin/sh", "-c", expect.stringContaining('rm -f "$0"'), "/local/drop/app.tar"],
      ...warm,
    ]);
  });

  test("is answered with the nodes that did not take a file", () => {
    expect(
      refusedBy([
        "sbcast: error: REQUEST_FILE_BCAST(n3): No space left on device",
        "sbcast: error: REQUEST_FILE_BCAST(n3): No space left on device",
        "sbcast: error: REQUEST_FILE_BCAST(gpu-07): Unspecified error",
        "sbcast: error: something else (n4)",
      ]),
    ).toEqual(["n3", "gpu-07"]);
  });
});

describe("what is known of images on nodes", () => {
  test("says who lacks what, but for nodes that are left to themselves", () => {
    const ledger = new NodeLedger(["n1", "n2", "n3"]);
    ledger.settle("n1", { image: "a", end: "hit" });
    expect(ledger.lacking("a")).toEqual(["n2", "n3"]);
    ledger.leave("n3", busy);
    expect(ledger.lacking("a")).toEqual(["n2"]);
    expect(ledger.lackingAny(["a", "b"])).toEqual(["n1", "n2"]);
    expect(ledger.alone).toEqual(["n3"]);
  });

  test.each([
    [["hit", "hit"], "warm", { ready: 2, failed: 0, skipped: 0 }],
    [["hit", "staged"], "staged", { ready: 2, failed: 0, skipped: 0 }],
    [["staged", "skipped"], "staged", { ready: 1, failed: 0, skipped: 1 }],
    [["hit", "failed"], "partial", { ready: 1, failed: 1, skipped: 0 }],
    [["failed", "failed"], "failed", { ready: 0, failed: 2, skipped: 0 }],
  ] as const)("%j makes a node %s", (ends, outcome, counts) => {
    const ledger = new NodeLedger(["n1", "n2"]);
    ledger.leave("n2", busy);
    ends.forEach((end, i) => {
      ledger.settle("n1", { image: String(i), end });
    });
    expect(ledger.results({ ms: 5 })).toEqual([
      { type: "result", node: "n1", outcome, ...counts, ms: 5, error: null },
    ]);
  });
});
