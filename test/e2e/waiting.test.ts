import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stageRootfs } from "./support/cli.js";
import { type CrashSite, crashSite, expectWhole, newCache } from "./support/faults/crash-site.js";
import { type Fault, withFault } from "./support/faults/fault.js";
import { stagingSteps } from "./support/faults/steps.js";
import { stoppedProcess } from "./support/faults/stopped-process.js";
import { leftovers, stagedBy } from "./support/staged.js";

/** For how long a holder is stopped, in ms: longer than a lock may be without a sign of life. */
const stopped = Number(process.env["STAGE_ROOTFS_TEST_STOPPED_MS"] ?? 12_000);

let site: CrashSite;
const cleanUps: (() => void)[] = [];
const atTheEnd = (act: () => void) => void cleanUps.push(act);

beforeAll(async () => {
  site = await crashSite(atTheEnd);
});
afterAll(() => {
  for (const act of cleanUps.reverse()) act();
});

/** A process that has stopped when two of its layers were ready, be it that it had not said so yet. */
async function stoppedStaging(
  at: Omit<Fault, "what"> = { step: /^rename .* -> layers\//, nth: 2, when: "after" },
) {
  const cacheDir = newCache(atTheEnd);
  const fault = { what: "SIGSTOP", ...at } as const;
  const env = { ...withFault(cacheDir, fault), SLURM_JOB_ID: "4711" };
  const args = ["--json", "--jobs", "1", "--cache-dir", cacheDir, site.image];
  const run = stageRootfs(args, { env });
  const pid = await stoppedProcess(cacheDir);
  return { cacheDir, args, run, pid };
}

describe.concurrent("a staging that others wait for", () => {
  test("is named by --wait when it gives up, with 75", async () => {
    const { cacheDir, args, run, pid } = await stoppedStaging();
    const start = performance.now();
    const late = await stageRootfs(["--wait", "1", "--progress", "plain", ...args.slice(1)]);
    expect(performance.now() - start).toBeGreaterThan(1000);
    expect(late).toMatchObject({ exitCode: 75, stdout: "" });
    const [first, ...others] = late.stderr.split("\n");
    expect(first).toMatch(
      new RegExp(
        `waiting for process ${pid} on \\S+ \\(job 4711\\), which has staged [0-2] of 4 layers in \\d+ s$`,
      ),
    );
    expect(others.join("\n")).toMatch(
      new RegExp(
        `the image is still being staged by process ${pid} on \\S+ \\(job 4711, [0-2] of 4 layers in \\d+ s\\) after 1 s`,
      ),
    );
    process.kill(pid, "SIGCONT");
    expect(stagedBy(await run).hit).toBe(false);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("is named also before it knows what it consists of", async () => {
    const step = stagingSteps["the image's lock taken"];
    const { args, run, pid } = await stoppedStaging({ step, when: "after" });
    const late = await stageRootfs(["--wait", "0", "--progress", "plain", ...args.slice(1)]);
    expect(late).toMatchObject({ exitCode: 75, stdout: "" });
    const owner = `process ${pid} on \\S+ \\(job 4711`;
    expect(late.stderr).toMatch(
      new RegExp(`waiting for ${owner}\\), which has begun to stage .* \\d+ s ago\n`),
    );
    expect(late.stderr).toMatch(
      new RegExp(`still being staged by ${owner}, begun \\d+ s ago\\) after 0 s`),
    );
    process.kill(pid, "SIGCONT");
    stagedBy(await run);
  });

  test("is not robbed when it stands still for longer than locks are without a sign", async () => {
    const { cacheDir, args, run, pid } = await stoppedStaging();
    const waiters = [
      stageRootfs([...args, "--progress", "json"]),
      stageRootfs([...args, "--progress", "json", "--wait", "90"]),
    ];
    await sleep(stopped);
    process.kill(pid, "SIGCONT");
    const first = stagedBy(await run);
    expect(first.layers.map(({ reused }) => reused)).toEqual([false, false, false, false]);
    for (const waiter of await Promise.all(waiters)) {
      expect(stagedBy(waiter)).toMatchObject({ hit: true, rootfs: first.rootfs });
      const events = waiter.stderr
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line));
      expect(events).toContainEqual(
        expect.objectContaining({
          type: "waiting",
          pid,
          job: "4711",
          layers: { finished: expect.toBeOneOf([0, 1, 2]), total: 4 },
        }),
      );
    }
    expectWhole(site, cacheDir);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("is taken over within 5 s when it dies, from where it was", async () => {
    const { cacheDir, args, run, pid } = await stoppedStaging();
    const waiters = [stageRootfs(args), stageRootfs(args), stageRootfs([...args, "--wait", "60"])];
    await sleep(1500);
    process.kill(pid, "SIGKILL");
    const start = performance.now();
    expect((await run).signal).toBe("SIGKILL");
    const all = (await Promise.all(waiters)).map(stagedBy);
    expect(performance.now() - start).toBeLessThan(5000);
    const [maker, ...others] = all.filter(({ hit }) => !hit);
    expect(others).toEqual([]);
    expect(maker?.layers.filter(({ reused }) => reused)).toHaveLength(2);
    expectWhole(site, cacheDir);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("is not waited for when all of its cache is gone", async () => {
    const { cacheDir, args, run, pid } = await stoppedStaging();
    const waiter = stageRootfs(args);
    await sleep(500);
    rmSync(cacheDir, { recursive: true });
    expect(stagedBy(await waiter).hit).toBe(false);
    process.kill(pid, "SIGKILL");
    await run;
    expectWhole(site, cacheDir);
  });
});
