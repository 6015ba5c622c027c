import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, vi } from "vitest";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { unstableApptainer, unstableNeeds } from "./support/unstable-programs.js";

const debianTest = testNeeding([...slurmNeeds, ...debianImageNeeds, "bwrap"]);
const apptainerTest = testNeeding([...slurmNeeds, ...debianImageNeeds, ...unstableNeeds]);

const { cluster } = clusterOfFile({ afterAll });

/** Generates a script into a file that every user may read. */
async function generated(name: string, args: readonly string[], command: readonly string[] = []) {
  const { stageRootfs, shared } = await cluster();
  const path = join(shared, name);
  const rest = command.length > 0 ? ["--", ...command] : [];
  const run = await stageRootfs(["generate", name, ...args, "--output", path, ...rest], {
    as: "root",
  });
  expect(run).toMatchObject({ stdout: "", stderr: "", exitCode: 0 });
  return path;
}

/** Debian, where all nodes see it. */
async function debianArchive(): Promise<string> {
  const { forms } = await debianImage();
  const path = join((await cluster()).shared, "debian.tar");
  if (!existsSync(path)) copyFileSync(forms.dockerArchive, path);
  chmodSync(path, 0o644);
  return path;
}

describe("the generated job", () => {
  debianTest("stages the image on each node, and runs the command in all tasks", async () => {
    const { run, shared, local } = await cluster();
    const words = ["--cache-dir", join(local, "own"), "--allow-disk", "tmpfs"];
    const command = ["sh", "-c", 'cat "$0"; exit 3', "/etc/debian_version"];
    const script = await generated("sbatch", [await debianArchive(), ...words], command);
    const out = join(shared, "sbatch.out");
    const argv = ["sbatch", "--wait", "-N2", "--ntasks-per-node=2", `--output=${out}`] as const;
    const { exitCode } = await run([...argv, script], { cwd: shared });
    const lines = readFileSync(out, "utf8").split("\n");
    expect(lines.filter((line) => /^12\./.test(line))).toHaveLength(4);
    // Nothing of the staging's own is among it.
    expect(lines.filter((line) => line.includes("sha256-"))).toEqual([]);
    expect(exitCode).toBe(3);
  });
});

describe("the generated job of an instance", () => {
  apptainerTest("tells when it is ready, and ends with scancel", async () => {
    const { run, local, homeOf } = await cluster();
    const program = await unstableApptainer();
    const image = await debianArchive();
    const words = ["--cache-dir", join(local, "own"), "--allow-disk", "tmpfs"];
    const script = await generated("instance", [image, "--instance", "mine", ...words]);
    const env = { PATH: `${program.replace(/\/apptainer$/, "")}:/usr/bin:/bin` };
    const work = join(homeOf("ordinary"), "work");
    mkdirSync(work);
    chownSync(work, 23456, 23456);
    const argv = ["sbatch", "--parsable", "-w", "n1", script] as const;
    const { stdout } = await run(argv, { cwd: work, env });
    const id = stdout.trim();
    const status = () => {
      const path = join(work, `mine-${id}.status`);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    await vi.waitFor(() => expect(status()).toMatch(/^INSTANCE_/), { timeout: 60_000 });
    expect([status(), readFileSync(join(work, `stage-rootfs-instance-${id}.out`), "utf8")]).toEqual(
      ["INSTANCE_READY\n", "INSTANCE_READY\n"],
    );
    const step = ["srun", `--jobid=${id}`, "--overlap", "apptainer", "exec", "instance://mine"];
    expect(await run(["env", ...step, "cat", "/etc/debian_version"], { env })).toMatchObject({
      stdout: expect.stringMatching(/^12\./),
      exitCode: 0,
    });
    await run(["scancel", id]);
    await vi.waitFor(() => expect(status()).toBe("INSTANCE_STOPPED\n"), { timeout: 30_000 });
  });

  apptainerTest("tells why it failed", async () => {
    const { run, homeOf } = await cluster();
    const script = await generated("instance", ["/missing.tar"]);
    const work = homeOf("another");
    const argv = ["sbatch", "--wait", "--parsable", script] as const;
    const { stdout, exitCode } = await run(argv, { cwd: work, as: "another" });
    expect(readFileSync(join(work, `stage-rootfs-${stdout.trim()}.status`), "utf8")).toMatch(
      /^INSTANCE_FAILED stage-rootfs: no such file or directory: \/missing\.tar/,
    );
    expect(exitCode).toBe(66);
  });
});
