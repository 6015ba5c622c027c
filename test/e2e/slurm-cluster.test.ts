import { readdirSync } from "node:fs";
import { afterAll, describe, expect } from "vitest";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";

const test = testNeeding(slurmNeeds);

const { cluster } = clusterOfFile({ afterAll });

describe("the Slurm that tests start", () => {
  test("runs a step on each node, with a directory of its own", async () => {
    const { run, local, localOf, nodes } = await cluster();
    const script = `touch '${local}'/$SLURMD_NODENAME; ls '${local}'; id -un`;
    const argv = ["srun", "-N4", "--ntasks-per-node=1", "sh", "-c", script] as const;
    const { stdout, exitCode } = await run(argv);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").sort().join(" ").trim()).toBe("ada ada ada ada n1 n2 n3 n4");
    for (const node of nodes) expect(readdirSync(localOf(node))).toEqual([node]);
  });

  test("runs the packaged program as the user asks for it", async () => {
    const { stageRootfs } = await cluster();
    expect(await stageRootfs(["--version"], { as: "another" })).toMatchObject({ exitCode: 0 });
  });

  test("can lose a node, and get it back", async () => {
    const { killNode, startNode, run, settled } = await cluster();
    const onThird = ["srun", "-w", "n3", "true"] as const;
    await killNode("n3");
    expect(await run(["srun", "-w", "n4", "true"])).toMatchObject({ exitCode: 0 });
    await startNode("n3");
    expect(await run(onThird, { timeoutMs: 60_000 })).toMatchObject({ exitCode: 0 });
    await settled();
  });
});
