import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect } from "vitest";
import { shellQuoted } from "../../src/host/shell-quoted.js";
import { stageRootfsArgv } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { rootfsCount, warmCluster } from "./support/slurm/warm-cluster.js";
import { atTerminal } from "./support/terminal.js";

const test = testNeeding([...slurmNeeds, "script"]);

const { settledCluster } = clusterOfFile({ afterAll, lines: () => ["SlurmdTimeout=10"] });

async function prepared() {
  return warmCluster(await settledCluster());
}

function events(stdout: string): readonly Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("many nodes", () => {
  test("are warmed, and found warm the next time", async () => {
    const { warm, nodes, cacheOf, large, small } = await prepared();
    const cold = await warm("--partition", "compute", large, small);
    expect(cold).toMatchObject({ exitCode: 0, stdout: "staged   n[1-4]\n" });
    for (const node of nodes) expect(rootfsCount(cacheOf(node))).toBe(2);
    expect(cold.stderr.split("\n")[0]).toBe("stage-rootfs: 2 images on 4 nodes: n[1-4]");

    const again = await warm("--nodes", "n[1-4]", small, large);
    expect(again).toMatchObject({ exitCode: 0, stdout: "warm     n[1-4]\n" });
  });

  test("tell as JSON what happens as it happens", async () => {
    const { warm, small } = await prepared();
    const { stdout, exitCode } = await warm("--nodes", "n2,n3", "--json", "--fan-in", "1", small);
    expect(exitCode).toBe(0);
    const all = events(stdout);
    const kinds = all.map(({ type, node, state = "" }) => `${type} ${node} ${state}`);
    const ofNode = (node: string) => kinds.filter((kind) => kind.includes(` ${node} `));
    // One after the other.
    expect(kinds.slice(0, -1)).toEqual([...ofNode("n2"), ...ofNode("n3")]);
    expect(ofNode("n2")[0]).toBe("step n2 starting");
    expect(ofNode("n2").slice(-3)).toEqual(["image n2 staged", "end n2 ", "result n2 "]);
    expect(all.at(-1)).toMatchObject({
      type: "summary",
      nodes: { total: 2, warm: 0, staged: 2, partial: 0, failed: 0 },
      failures: [],
      exitStatus: 0,
    });
  });

  test("have the good images of a list, and one line says which is bad", async () => {
    const { warm, shared, small, large } = await prepared();
    const list = join(shared, "images.txt");
    writeFileSync(list, `# mine\n${small}\n${shared}/none.tar\n\n${large}\n`);
    const { stdout, stderr, exitCode } = await warm("--nodes", "n[1-3]", "-f", list);
    expect({ stdout, exitCode }).toEqual({ stdout: "partial  n[1-3]\n", exitCode: 1 });
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `stage-rootfs: n[1-3]: no such file or directory: ${shared}/none.tar`,
    );
  });

  test("have the status of the first failure where none has any image", async () => {
    const { warm, shared } = await prepared();
    const result = await warm("--nodes", "n[1-2]", `${shared}/none.tar`);
    expect(result).toMatchObject({ stdout: "failed   n[1-2]\n", exitCode: 66 });
  });

  test("are those of the job that it is called in", async () => {
    const { run, warmArgs, small } = await prepared();
    const inJob = (...args: string[]) => {
      return run(["salloc", "-Q", "-w", "n[2-4]", "--ntasks-per-node=2", ...stageRootfsArgv(args)]);
    };
    const all = await inJob(...warmArgs(small));
    expect(all).toMatchObject({ exitCode: 0, stdout: "staged   n[2-4]\n" });
    const one = await inJob(...warmArgs("--nodes", "n3", small));
    expect(one).toMatchObject({ exitCode: 0, stdout: "warm     n3\n" });
    const another = await inJob(...warmArgs("--nodes", "n1", small));
    expect(another).toMatchObject({ exitCode: 0, stdout: "staged   n1\n" });
  });

  test("may be warmed by two at once, and by somebody else", async () => {
    const { warm, nodes, cacheOf, stageRootfs, large, local } = await prepared();
    const theirs = ["warm", "--slurm", "--nodes", "n[1-4]", "--cache-dir", `${local}/bobs`, large];
    const ends = await Promise.all([
      warm("--nodes", "n[1-4]", large),
      warm("--partition", "compute", large),
      stageRootfs(theirs, { as: "another" }),
    ]);
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    for (const node of nodes) expect(rootfsCount(cacheOf(node))).toBe(1);
  });

  test("share a disk by mistake, which is noticed", async () => {
    const { stageRootfs, shared, small } = await prepared();
    const cache = join(shared, "cache");
    const args = ["warm", "--slurm", "--nodes", "n[1-3]", "--cache-dir", cache, small];
    const { stderr, exitCode } = await stageRootfs(args);
    expect(exitCode).toBe(0);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
      `stage-rootfs: warning: n[1-3] have one and the same ${cache} (give each a disk of its own`,
    );
    expect((await stageRootfs([...args, "--nodes", "n2"])).stderr).not.toContain("warning");
  });

  test("show in a table at a terminal", async () => {
    const { argv, env, warmArgs, large, small } = await prepared();
    const line = argv(stageRootfsArgv(warmArgs("--nodes", "n[1-2]", large, small)));
    const terminal = atTerminal(line.map(shellQuoted).join(" "), { as: "root", env });
    await terminal.see(/2 images on 2 nodes, 0 s/);
    await terminal.see(/NODE {2}large\.tar {2}small\.tar/);
    await terminal.see(/n1 {4}staged {5}staged/);
    expect(await terminal.ended()).toBe(0);
    expect(terminal.screen()).toMatch(/2 staged\r\n\S*staged {3}n\[1-2\]\r\n$/);
  });
});

describe("a call that can't be carried out", () => {
  test.each([
    ["names no nodes", [], 2, "say --nodes LIST or --partition NAME"],
    [
      "names a partition that is not there",
      ["--partition", "gpu"],
      66,
      "Slurm has no partition gpu",
    ],
    ["names a node that is not there", ["--nodes", "n9"], 66, "n9: Slurm has no such node"],
    ["lets no node work", ["--nodes", "n1", "--fan-in", "0"], 2, "--fan-in takes a number from 1"],
  ] as const)("%s", async (_, args, status, words) => {
    const { warm, small } = await prepared();
    const { exitCode, stderr } = await warm(...args, small);
    expect({ exitCode, stderr }).toEqual({
      exitCode: status,
      stderr: expect.stringContaining(words),
    });
  });
});
