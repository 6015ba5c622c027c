import { describe, expect, test } from "vitest";
import { cgroupVersion, engineFacts, subordinateIds } from "../../src/host/engine-facts.js";

describe("cgroupVersion", () => {
  test.each([
    ["v2", ["/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/memory"]],
    ["hybrid", ["/sys/fs/cgroup/unified/cgroup.controllers", "/sys/fs/cgroup/memory"]],
    ["v1", ["/sys/fs/cgroup/memory"]],
    ["v1", ["/sys/fs/cgroup/cpu"]],
    ["none", []],
  ])("is %s where there are %j", (version, paths) => {
    expect(cgroupVersion((path) => paths.includes(path))).toBe(version);
  });
});

describe("subordinateIds", () => {
  test.each([
    [undefined, 0],
    ["", 0],
    ["alice:100000:65536\n", 65536],
    ["bob:1:2\n1000:5:7\nalice:9:1\n", 8],
    ["# alice\nalice:100000\nalice:x:y\nmalice:1:9\n", 0],
  ])("in %j: %i", (text, count) => {
    const query = { names: ["1000", "alice"], read: () => text };
    expect(subordinateIds("/etc/subuid", query)).toBe(count);
  });
});

test("those of this node can be told", () => {
  expect(["v1", "v2", "hybrid", "none"]).toContain(engineFacts().cgroups);
});
