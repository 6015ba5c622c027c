import { describe, expect, test } from "vitest";
import { findingsOf } from "../../src/cli/doctor-findings.js";
import { type DoctorReport, doctorJson, doctorStatus } from "../../src/cli/doctor-report.js";
import { doctorText } from "../../src/cli/doctor-text.js";
import { StageError } from "../../src/errors.js";
import type { RuntimeExamination } from "../../src/launch/choice/examine-runtimes.js";

const bwrap: RuntimeExamination = {
  name: "bwrap",
  isolates: true,
  program: "/usr/bin/bwrap",
  version: "0.8.0",
  works: true,
  purposes: [
    { purpose: "plain", works: true },
    { purpose: "writable", works: false, reason: "is too old", remedy: "install a newer one" },
    { purpose: "uid-0", works: true },
    { purpose: "network-host", works: true },
  ],
};

const podman: RuntimeExamination = {
  ...bwrap,
  name: "podman",
  version: "4.3.1",
  works: false,
  purposes: (["plain", "writable"] as const).map((purpose) => {
    return { purpose, works: false, reason: "hurts", remedy: "take care" };
  }),
};

const native: RuntimeExamination = {
  name: "native",
  isolates: false,
  program: undefined,
  version: undefined,
  works: true,
  purposes: [{ purpose: "plain", works: true }],
};

const report: DoctorReport = {
  node: {
    hostname: "n1",
    kernel: "4.18.0",
    architecture: "x64",
    node: "20.20.2",
    uid: 1000,
    gid: 1000,
    processors: 2,
    memory: 2 ** 31,
    isMemoryLimited: true,
    terminalInjection: true,
    nvidiaDevices: [],
  },
  limits: {
    maxUserNamespaces: 100,
    unprivilegedUserNamespaces: true,
    appArmorRestricts: false,
    seccomp: false,
    noNewPrivileges: false,
    capabilities: "0",
  },
  engines: { cgroups: "v1", subordinateUids: 0, subordinateGids: 0, runtimeDirectory: undefined },
  parts: { "fs-xattr": true, "@ronomon/crypto-async": false, zstd: false },
  slurm: { squeue: undefined, job: undefined },
  cache: {
    directory: "/var/tmp/cache",
    standing: "missing",
    disk: { type: "ext4", mountPoint: "/", freeBytes: 2 ** 30, freeInodes: 7 },
    hasLinks: true,
    hasAttributes: true,
    problem: undefined,
  },
  runtimes: [bwrap, podman, native],
};

/** The lines about one thing, without the columns' blanks. */
function linesOf(changed: Partial<DoctorReport>, what: string): readonly string[] {
  return findingsOf({ ...report, ...changed })
    .filter((finding) => finding.what.startsWith(what))
    .map(({ mark, says, remedy }) => `${mark} ${says}${remedy ? ` > ${remedy}` : ""}`);
}

describe("what doctor says", () => {
  test.each([
    ["cache", {}, ["ok /var/tmp/cache, would be made", "ok ext4 on /, 1.0G and 7 inodes free"]],
    ["memory", {}, ["ok 2.0G, by the control group"]],
    ["Slurm", {}, ["-- no squeue"]],
    ["Slurm", { slurm: { squeue: "/bin/squeue", job: "4711" } }, ["ok /bin/squeue, in job 4711"]],
    ["user namespaces", {}, ["ok up to 100"]],
    [
      "user namespaces",
      { limits: { ...report.limits, maxUserNamespaces: 0 } },
      ["no the limit is 0"],
    ],
    [
      "user namespaces",
      { limits: { ...report.limits, unprivilegedUserNamespaces: false } },
      ["no switched off"],
    ],
    [
      "bwrap",
      {},
      ["ok plain, uid-0, network-host", "no writable: is too old > install a newer one"],
    ],
    ["podman", {}, ["no hurts > take care"]],
    ["native", {}, ["-- always works, and isolates nothing"]],
    ["in all", {}, ["ok images can be staged, and run with bwrap"]],
    ["in all", { runtimes: [podman, native] }, ["no images can be staged, but no runtime works"]],
  ] as const)("of %s, with %j", (what, changed, lines) => {
    expect(linesOf(changed, what)).toEqual(lines);
  });

  test("of a cache with a problem, what it is and what to do", () => {
    const problem = new StageError("CACHE_UNTRUSTED", "somebody's", { hint: "have your own" });
    const cache = { ...report.cache, problem };
    expect(linesOf({ cache }, "cache")[0]).toBe("no somebody's > have your own");
    expect(linesOf({ cache }, "in all")).toEqual(["no images can't be staged with this cache"]);
  });

  test("is in columns, with remedies below", () => {
    const text = doctorText([
      { mark: "ok", what: "node", says: "n1" },
      { mark: "no", what: "bwrap 0.8.0", says: "is too old", remedy: "install it" },
    ]);
    expect(text).toBe(
      [
        "ok  node         n1",
        "no  bwrap 0.8.0  is too old",
        "                   install it",
        "",
      ].join("\n"),
    );
  });
});

describe("doctor's status", () => {
  const problem = new StageError("CACHE_UNTRUSTED", "somebody's");
  test.each([
    [0, {}],
    [125, { runtimes: [podman, native] }],
    [125, { runtimes: [] }],
    [77, { cache: { ...report.cache, problem } }],
  ] as const)("is %i", (status, changed) => {
    expect(doctorStatus({ ...report, ...changed })).toBe(status);
  });
});

test("as JSON, everything is there, as null where it is not known", () => {
  const json: unknown = JSON.parse(JSON.stringify(doctorJson(report)));
  expect(json).toMatchObject({
    schemaVersion: 1,
    isReady: true,
    engines: { runtimeDirectory: null },
    slurm: { squeue: null, job: null },
    cache: { directory: "/var/tmp/cache", problem: null },
    runtimes: [
      { name: "bwrap", version: "0.8.0", works: true },
      { name: "podman", works: false },
      { name: "native", program: null, version: null },
    ],
  });
});
