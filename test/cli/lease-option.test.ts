import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { leaseOption } from "../../src/cli/lease-option.js";
import type { LeaseWish } from "../../src/stage/lease-wish.js";
import { refusal } from "../support/refusal.js";

beforeEach(() => vi.stubEnv("SLURM_JOB_ID", undefined));
afterEach(() => vi.unstubAllEnvs());

describe("--lease", () => {
  test.each<readonly [string, LeaseWish]>([
    ["job", "job"],
    ["none", "none"],
    ["process", "caller"],
    ["pid:1234", { pid: 1234 }],
    ["job:4711", { job: "4711" }],
    ["job:4711_3", { job: "4711_3" }],
    ["90s", { seconds: 90 }],
    ["30m", { seconds: 1800 }],
    ["8h", { seconds: 8 * 3600 }],
    ["7d", { seconds: 7 * 24 * 3600 }],
  ])("%s", (lease, wish) => {
    expect(leaseOption({ lease }, "caller")).toEqual(wish);
  });

  test.each(["", "jobs", "pid:", "pid:x", "pid:-1", "8 h", "1y", "-1h", "0x10", "1.5h", "job:"])(
    "refuses %j",
    (lease) => {
      expect(refusal(() => leaseOption({ lease }, "caller")).code).toBe("USAGE");
    },
  );

  test("is the process where it is not given, or the Slurm job where there is one", () => {
    expect(leaseOption({}, "caller")).toBe("caller");
    expect(leaseOption({}, "process")).toBe("process");
    vi.stubEnv("SLURM_JOB_ID", "4711");
    expect(leaseOption({}, "caller")).toBe("job");
    expect(leaseOption({ lease: "process" }, "process")).toBe("process");
    vi.stubEnv("SLURM_JOB_ID", "../x");
    expect(leaseOption({}, "caller")).toBe("caller");
  });
});
