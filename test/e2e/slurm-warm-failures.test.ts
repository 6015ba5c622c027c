import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect } from "vitest";
import { shellQuoted } from "../../src/host/shell-quoted.js";
import { stageRootfsArgv } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { slowProgram, warmCluster } from "./support/slurm/warm-cluster.js";
import { atTerminal } from "./support/terminal.js";

const test = testNeeding([...slurmNeeds, "script"]);

const { settledCluster } = clusterOfFile({ afterAll, lines: () => ["SlurmdTimeout=10"] });

async function prepared() {
  return warmCluster(await settledCluster());
}

describe("a node that fails", () => {
  test("because it is drained is named at once, with Slurm's reason", async () => {
    const { warm, run, stateOf, small } = await prepared();
    const update = ["scontrol", "update", "NodeName=n2"] as const;
    await run([...update, "State=DRAIN", "Reason=bad fan"], { as: "root" });
    try {
      const { stdout, stderr, exitCode } = await warm("--nodes", "n[1-3]", small);
      expect({ stdout, exitCode }).toEqual({
        stdout: "staged   n[1,3]\nfailed   n2\n",
        exitCode: 1,
      });
      expect(stderr).toContain("stage-rootfs: n2: the node is drained: bad fan (once it is mended");
    } finally {
      await run([...update, "State=RESUME"], { as: "root" });
      await expect.poll(() => stateOf("n2"), { timeout: 20_000 }).toBe("idle");
    }
  });

  test("because its daemon is gone holds nobody up", async () => {
    const { warm, killNode, startNode, run, small } = await prepared();
    await killNode("n3");
    try {
      const start = Date.now();
      const result = await warm("--nodes", "n[1-4]", "--start-within", "8", small);
      expect(result, result.stderr).toMatchObject({
        stdout: "staged   n[1-2,4]\nfailed   n3\n",
        exitCode: 1,
      });
      expect(result.stderr).toContain("n3: it did not begin within 8 s: the node does not answer");
      expect(Date.now() - start).toBeLessThan(30_000);
    } finally {
      await startNode("n3");
      await run(["srun", "-w", "n3", "true"]);
    }
  });

  test("because it is in use holds nobody up, and may do better at the next try", async () => {
    const { warm, run, small, shared } = await prepared();
    const full = run([
      "srun",
      "-w",
      "n1",
      "-N1",
      "--exclusive",
      "sh",
      "-c",
      `touch '${shared}/full'; sleep 6`,
    ]);
    while (!existsSync(`${shared}/full`)) await sleep(50);
    const args = ["--nodes", "n[1-2]", "--start-within", "2", small];
    const once = await warm(...args);
    expect(once).toMatchObject({ stdout: "staged   n2\nfailed   n1\n", exitCode: 1 });
    expect(once.stderr).toMatch(/n1: .*(?:its job did not start|busy)/);
    const often = await warm(...args, "--retry", "5");
    expect(often).toMatchObject({ stdout: "warm     n2\nstaged   n1\n", exitCode: 0 });
    await full;
  });

  test("because the program is not there says where it was looked for", async () => {
    const { warm, small } = await prepared();
    const { stderr, exitCode } = await warm("--nodes", "n1", "--node-program", "/no/where", small);
    expect(exitCode).toBe(66);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      "stage-rootfs: n1: the program can't be started there: /no/where is not there (have /no/where on every node, or say where it is with --node-program)",
    );
  });

  test("because of its options says what the program there said", async () => {
    const { warm, small } = await prepared();
    const { stderr, exitCode } = await warm("--nodes", "n[1-2]", "--config", "/no/file", small);
    expect(exitCode).not.toBe(0);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^stage-rootfs: n\[1-2\]: .*\/no\/file/);
  });
});

describe("a controller that is stopped", () => {
  test.each([
    ["SIGTERM", { exitCode: 143 }],
    ["SIGKILL", { signal: "SIGKILL" }],
  ] as const)("by %s leaves no job", async (signal, end) => {
    const slurm = await prepared();
    const { stageRootfs, warmArgs, small, shared, run } = slurm;
    const program = slowProgram(slurm);
    const busy = run(["srun", "-w", "n4", "-N1", "--exclusive", "sleep", "4"]);
    const begun = ["n1", "n2"].map((node) => `${shared}/begun-${node}`);
    const args = warmArgs("--nodes", "n[1-2,4]", "--node-program", program, small);
    const condition = async () => {
      if (!begun.every((path) => existsSync(path))) return false;
      const { stdout } = await run(["squeue", "-h", "-n", "stage-rootfs-warm", "-o", "%T"]);
      return stdout.includes("PENDING");
    };
    const result = await stageRootfs(args, { killWhen: { condition, signal } });
    expect(result).toMatchObject(end);
    for (const path of begun) rmSync(path);
    const { stdout } = await run(["sh", "-c", "sleep 2; squeue -h -n stage-rootfs-warm"]);
    expect(stdout).toBe("");
    await busy;
  });

  test("by a key leaves no job, and says so below the table", async () => {
    const slurm = await prepared();
    const { argv, env, warmArgs, small, run, shared } = slurm;
    const words = warmArgs("--nodes", "n[1-2]", "--node-program", slowProgram(slurm), small);
    const line = argv(stageRootfsArgv(words)).map(shellQuoted).join(" ");
    const terminal = atTerminal(line, { as: "root", env });
    for (const node of ["n1", "n2"]) {
      await expect
        .poll(() => existsSync(`${shared}/begun-${node}`), { timeout: 20_000 })
        .toBe(true);
      rmSync(`${shared}/begun-${node}`);
    }
    await terminal.see(/n2 {4}starting/);
    terminal.type("\x03");
    expect(await terminal.ended()).toBe(130);
    expect(terminal.screen()).toMatch(
      /2 starting\r\n\S*stage-rootfs: stopped by SIGINT \(all steps/,
    );
    expect((await run(["squeue", "-h", "-n", "stage-rootfs-warm", "-t", "R,PD"])).stdout).toBe("");
  });

  test("in a job leaves no step", async () => {
    const slurm = await prepared();
    const { run, warmArgs, small, shared } = slurm;
    const program = slowProgram(slurm);
    const warm = stageRootfsArgv(warmArgs("--node-program", program, small));
    const script = `"$@" & while ! [ -e '${shared}/begun-n1' ]; do sleep 0.1; done; kill -TERM $!; wait $!; echo "status $?"; squeue --steps -h -o %j`;
    const { stdout } = await run(["salloc", "-Q", "-w", "n1", "sh", "-c", script, "sh", ...warm]);
    expect(stdout).toBe("status 143\n");
  });
});
