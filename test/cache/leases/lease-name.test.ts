import { describe, expect, test } from "vitest";
import {
  describeLease,
  formatLease,
  type Lease,
  parseLease,
} from "../../../src/cache/leases/lease-name.js";
import { ownIdentity } from "../../../src/host/process-identity.js";

const identity = { ...ownIdentity(), host: "node17", pid: 1234, startTime: "777" };

describe("a lease's name", () => {
  const leases: readonly (readonly [Lease, RegExp, string])[] = [
    [{ kind: "job", id: "4711" }, /^job-4711$/, "slurm-4711"],
    [{ kind: "job", id: "4711_3" }, /^job-4711_3$/, "slurm-4711_3"],
    [{ kind: "job", id: "4711+1" }, /^job-4711\+1$/, "slurm-4711+1"],
    [{ kind: "process", identity }, /^process-node17,[^/]*,1234,777$/, "process-1234"],
    [
      { kind: "until", time: Date.UTC(2026, 10, 22, 16), word: "a-1" },
      /^until-1795363200000-a-1$/,
      "until-2026-11-22T16:00:00Z",
    ],
    [{ kind: "until", time: 0, word: "x" }, /^until-0-x$/, "until-1970-01-01T00:00:00Z"],
  ];
  test.each(leases)("of %j is read back, and shown to people", (lease, name, text) => {
    expect(formatLease(lease)).toMatch(name);
    expect(parseLease(formatLease(lease))).toEqual(lease);
    expect(describeLease(lease)).toBe(text);
  });

  test.each(leases)("of %j is read back with a word behind it", (lease) => {
    expect(parseLease(`${formatLease(lease)}~1a-2b`)).toEqual(lease);
  });

  test.each([
    "",
    "~",
    "~a",
    "job-1~",
    "job-1~A",
    "job-1~a~b",
    `job-1~${"a".repeat(65)}`,
    "job-",
    "job-x",
    "job-4711/..",
    "job-4711_",
    "job-1_2_3",
    `job-${"1".repeat(21)}`,
    "process-",
    "process-1234",
    "until-",
    "until-1",
    "until-1-",
    "until-1-A",
    "until--1-a",
    "until-1e3-a",
    "until-8640000000000001-a",
    `until-1-${"a".repeat(65)}`,
    "JOB-1",
    " job-1",
    "job-1\n",
    ".",
    "..",
    "lost+found",
  ])("is not %j", (name) => {
    expect(parseLease(name)).toBeUndefined();
  });

  test.each(["n".repeat(64), "ü".repeat(64), "\u{1f600}".repeat(64), "%".repeat(255)])(
    "fits into a file's name on the host %s",
    (host) => {
      const most = { ...identity, host, pid: 4194304, startTime: "9".repeat(20) };
      const name = formatLease({ kind: "process", identity: most });
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      const read = parseLease(name);
      expect(read && formatLease(read)).toBe(name);
      expect(read?.kind === "process" && host.startsWith(read.identity.host)).toBe(true);
    },
  );
});
