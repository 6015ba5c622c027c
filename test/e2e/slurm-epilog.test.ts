import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, vi } from "vitest";
import { startOddRegistry } from "../support/odd-registry.js";
import { layeredImage } from "./support/layered-image.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { siteOfFile } from "./support/slurm/site.js";

const test = testNeeding(slurmNeeds);

const { site } = siteOfFile({
  afterAll,
  prolog: ["docker://127.0.0.1:*/*"],
  epilog: ["--max-size", "1", "--min-age", "0s"],
});

/** Waits for what Slurm and gc do in the background; gc leaves the processors to others. */
async function soon(condition: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(condition, { timeout: 60_000, interval: 100 });
}

/** Submits a job that runs until it is told to end, and waits until it has begun. */
async function runningJob(args: readonly string[], as: "ordinary" | "another" = "ordinary") {
  const { run, shared } = await site();
  const lines = `touch "${shared}/$SLURM_JOB_ID"; while [ -e "${shared}/$SLURM_JOB_ID" ]; do sleep 0.1; done`;
  const argv = ["sbatch", "--parsable", "--output=/dev/null", ...args, `--wrap=${lines}`];
  const { stdout, stderr } = await run(["env", ...argv], { as });
  const id = stdout.trim();
  if (id === "") throw new Error(stderr);
  const mark = join(shared, id);
  await soon(() => expect(existsSync(mark)).toBe(true));
  const end = async () => {
    await run(["rm", mark], { as: "root" });
    await soon(async () => {
      expect((await run(["squeue", "-h", "-j", id])).stdout).toBe("");
    });
  };
  return { id, lease: `slurm-${id}`, end };
}

describe("the generated epilog", () => {
  test("ends the leases of its job alone, and clears up after the last one", async () => {
    const { shared, leasesOn, statesOn, cacheOf, localOf } = await site();
    const image = layeredImage(join(shared, "image.tar"));
    chmodSync(image, 0o644);
    const args = ["-w", "n1", `--comment=stage-rootfs=${image}`];
    const [one, other] = [await runningJob(args), await runningJob(args, "another")];
    const third = await runningJob(args);
    expect([...statesOn("n1")].sort()).toEqual([one.id, other.id, third.id].sort());
    expect(leasesOn("n1")).toHaveLength(3);
    await one.end();
    expect(leasesOn("n1").join(" ")).not.toContain(one.lease);
    expect(leasesOn("n1")).toHaveLength(2);
    expect(statesOn("n1")).not.toContain(one.id);
    const entries = join(cacheOf("n1", "ordinary"), "v1/rootfs");
    expect(readdirSync(entries)).toHaveLength(1);
    expect(existsSync(join(localOf("n1"), "state/gc.log"))).toBe(false);
    await other.end();
    await third.end();
    expect(leasesOn("n1")).toEqual([]);
    await soon(() => expect(readdirSync(entries)).toEqual([]));
  });

  test("ends the leases that root has for a job in the cache of all, and clears that up", async () => {
    const registry = await startOddRegistry();
    const { leasesOn, cacheOf, localOf } = await site();
    const args = ["-w", "n2", `--comment=stage-rootfs=${registry.reference()}`];
    const [one, other] = [await runningJob(args), await runningJob(args, "another")];
    expect(leasesOn("n2")).toHaveLength(2);
    await one.end();
    expect(leasesOn("n2")).toHaveLength(1);
    expect(leasesOn("n2").join(" ")).not.toContain(one.lease);
    await other.end();
    expect(leasesOn("n2")).toEqual([]);
    const entries = join(cacheOf("n2", "all"), "v1/rootfs");
    const log = join(localOf("n2"), "state/gc.log");
    await soon(() => expect(readdirSync(entries)).toEqual([]));
    await soon(() => expect(readFileSync(log, "utf8")).toMatch(/^removed sha256-/));
  });

  test("never drains the node, nor waits for gc", async () => {
    const { change, onNode, run, settled, stateOf } = await site();
    const slow = `#!/bin/sh\ncase " $* " in *" gc "*) exec sleep 1000;; esac\nexit 70\n`;
    change("epilog", (script) =>
      script
        .replace(/^STAGE_ROOTFS=.*$/m, "STAGE_ROOTFS=$CACHE_DIR/program")
        .replace(/^NODE=.*$/m, "NODE=sh"),
    );
    const { local } = await site();
    await onNode("n4", `mkdir -p ${local}/cache/v1; printf '%s' '${slow}' >${local}/cache/program`);
    await settled();
    const started = Date.now();
    expect(await run(["srun", "-w", "n4", "true"])).toMatchObject({ exitCode: 0 });
    await settled();
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(await stateOf("n4")).toBe("idle");
    const { stdout } = await onNode("n4", "pgrep -fc 'sleep 1000'; true");
    expect(Number(stdout)).toBeGreaterThan(0);
    change("epilog");
  });
});
