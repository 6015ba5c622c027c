import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { jobsWithSteps } from "../../src/fleet/job-steps.js";

/** A process that calls itself so, until the test ends. */
async function processCalled(title: string, user: { uid?: number } = {}): Promise<void> {
  const child = spawn("sleep", ["60"], { argv0: title, stdio: "ignore", ...user });
  onTestFinished(() => void child.kill());
  await once(child, "spawn");
  const cmdline = `/proc/${child.pid}/cmdline`;
  while (!readFileSync(cmdline, "latin1").startsWith(title)) await sleep(1);
}

test.skipIf(process.getuid?.() !== 0)(
  "a step's job is known by the daemon that sees to it, if it is root's",
  async () => {
    await processCalled("slurmstepd: [987654321.batch]");
    await processCalled("slurmstepd: [987654322.0]", { uid: 12345 });
    await processCalled("sleeping: [987654323.0]");
    const jobs = [...jobsWithSteps()].filter((id) => id.startsWith("98765432"));
    expect(jobs).toEqual(["987654321"]);
  },
);
