import { describe, expect, test } from "vitest";
import type { NodeState } from "../../../src/fleet/node-states.js";
import { chooseNodes, planNodes } from "../../../src/fleet/warm/choose-nodes.js";
import { FakePrograms } from "../../support/fake-programs.js";
import { rejection } from "../../support/refusal.js";

/** A Slurm of n1 to n4, all idle, in one partition. */
function fakeSlurm(): FakePrograms {
  const programs = new FakePrograms();
  const expand = `case $3 in 'n[1-2]') echo n1 n2 ;; 'n[1-4]') echo n1 n2 n3 n4 ;; *) echo "$3" ;; esac`;
  programs.make("scontrol", expand);
  const lines = [1, 2, 3, 4].map((i) => `echo 'n${i}|compute*|idle|none'`);
  programs.make("sinfo", `case "$*" in *=gpu*) ;; *) ${lines.join("; ")} ;; esac`);
  return programs;
}

const job = { SLURM_JOB_ID: "7", SLURM_JOB_NODELIST: "n[1-2]" };
const inJob = { kind: "allocation", job: "7" };
const asJobs = { kind: "jobs" };

describe("nodes that are meant", () => {
  test.each([
    ["those of the job", {}, job, ["n1", "n2"], inJob],
    ["those named, in the job that has them", { nodes: "n2" }, job, ["n2"], inJob],
    ["those named, beside a job that lacks them", { nodes: "n3" }, job, ["n3"], asJobs],
    ["those named", { nodes: "n[1-2]" }, {}, ["n1", "n2"], asJobs],
    ["a partition's", { partition: "compute" }, {}, ["n1", "n2", "n3", "n4"], asJobs],
    ["a partition's, also in a job", { partition: "compute", nodes: "n1" }, job, ["n1"], asJobs],
  ])("are %s", async (_, wish, env, nodes, way) => {
    fakeSlurm();
    const chosen = await chooseNodes(wish, { env });
    expect(chosen).toMatchObject({ usable: nodes, unusable: [], way });
  });

  test("must be given outside a job", async () => {
    expect((await rejection(chooseNodes({}, { env: {} }))).toReport()).toEqual({
      code: "USAGE",
      message: "no nodes are given, and this is no job of Slurm's",
      hint: "say --nodes LIST or --partition NAME, or call it in a job: salloc -N4 stage-rootfs warm --slurm ...",
    });
  });

  test.each([
    ["idle*", "idle", 2, ["n1"]],
    ["idle*", "idle*", 2, []],
    ["down*", "idle", 1, []],
  ])("are looked at again where one does not respond for now: %s, then %s", async (...states) => {
    const [first, then, looks, usable] = states;
    const programs = fakeSlurm();
    const seen = `${programs.directory}/seen`;
    const state = `s='${then}'; [ -e '${seen}' ] || s='${first}'; touch '${seen}'`;
    programs.make("sinfo", `${state}; echo "n1|compute*|$s|none"`);
    expect(await chooseNodes({ nodes: "n1" }, { env: {} })).toMatchObject({ usable });
    expect(programs.calls("sinfo").length).toBe(looks);
  });

  test("must be in the partition", async () => {
    fakeSlurm();
    const { code, message } = await rejection(chooseNodes({ partition: "gpu" }, { env: {} }));
    expect({ code, message }).toEqual({
      code: "NOT_FOUND",
      message: "Slurm has no partition gpu that you may use",
    });
  });
});

const idle: NodeState = {
  node: "n1",
  state: "idle",
  isResponding: true,
  reason: "",
  partitions: ["compute", "gpu"],
};

describe("a node", () => {
  test.each([
    ["idle", {}, { job: undefined }, true],
    ["mixed", {}, { job: undefined }, true],
    ["allocated", {}, { job: undefined }, true],
    ["down", {}, { job: undefined }, false],
    ["down", {}, { job: "7" }, false],
    ["drained", {}, { job: undefined }, false],
    ["draining", {}, { job: undefined }, false],
    ["draining", {}, { job: "7" }, true],
    ["idle", { isResponding: false }, { job: undefined }, false],
    ["allocated", { isResponding: false }, { job: "7" }, false],
  ])("that is %s (%j) for %j can be used: %s", (state, more, { job }, isUsable) => {
    const states = [{ ...idle, state, ...more }];
    const { usable, unusable } = planNodes(["n1"], { states, job, wish: {} });
    expect([usable.length, unusable.length]).toEqual(isUsable ? [1, 0] : [0, 1]);
  });

  test("that can't be used has Slurm's reason and the next step", () => {
    const states = [{ ...idle, state: "drained", reason: "bad\u001b fan" }];
    const [first] = planNodes(["n1"], { states, job: undefined, wish: {} }).unusable;
    expect(first?.error.toReport()).toEqual({
      code: "BUSY",
      message: "the node is drained: bad\\x1b fan",
      hint: "once it is mended, scontrol update NodeName=... State=RESUME gives it back",
    });
  });

  test("that Slurm does not know is said to be unknown", () => {
    const { unusable } = planNodes(["n9"], {
      states: [],
      job: undefined,
      wish: { partition: "p" },
    });
    expect(unusable[0]?.error).toMatchObject({
      code: "NOT_FOUND",
      message: "partition p has no such node that you may use",
    });
  });

  test.each([
    [{}, "compute"],
    [{ partition: "gpu" }, "gpu"],
  ])("gets its job by a partition that it is in: %j", (wish, partition) => {
    const { way } = planNodes(["n1"], { states: [idle], job: undefined, wish });
    expect(way).toEqual({ kind: "jobs", partitions: new Map([["n1", partition]]) });
  });
});
