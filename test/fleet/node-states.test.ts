import { expect, test } from "vitest";
import { nodeStates, parseNodeStates } from "../../src/fleet/node-states.js";
import { FakePrograms } from "../support/fake-programs.js";

test("a node is told once, with its partitions, the default one first", () => {
  const lines = ["n1|gpu|mixed|none", "n1|compute*|mixed|none", "n2|gpu|idle|none", "", "odd"];
  const same = { isResponding: true, reason: "" };
  expect(parseNodeStates(lines.join("\n"))).toEqual([
    { node: "n1", state: "mixed", partitions: ["compute", "gpu"], ...same },
    { node: "n2", state: "idle", partitions: ["gpu"], ...same },
  ]);
});

test.each([
  ["n1|p|down*|Not responding", { state: "down", isResponding: false, reason: "Not responding" }],
  ["n1|p|idle*|none", { state: "idle", isResponding: false, reason: "" }],
  ["n1|p|idle~|none", { state: "idle", isResponding: true, reason: "" }],
  ["n1|p|DRAINED$|bad | fan", { state: "drained", isResponding: true, reason: "bad | fan" }],
])("%s is read as %j", (line, state) => {
  expect(parseNodeStates(line)).toEqual([{ node: "n1", partitions: ["p"], ...state }]);
});

test("sinfo is asked for the nodes that are meant", async () => {
  const programs = new FakePrograms();
  programs.make("sinfo", "echo 'n1|p*|idle|none'");
  expect(await nodeStates({ nodes: "n1", partition: "p" })).toMatchObject([{ node: "n1" }]);
  await nodeStates({});
  const asked = "--Node --noheader --format=%N|%P|%T|%E";
  expect(programs.calls("sinfo")).toEqual([`${asked} --nodes=n1 --partition=p`, asked]);
});
