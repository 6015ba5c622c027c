import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect } from "vitest";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { slurmNeeds } from "./support/slurm/cluster.js";
import { clusterOfFile } from "./support/slurm/cluster-of-file.js";
import { unstableApptainer, unstableNeeds } from "./support/unstable-programs.js";

const needs = [...slurmNeeds, ...debianImageNeeds] as const;
const test = testNeeding([...needs, "script", "bwrap"]);
const apptainerTest = testNeeding([...needs, ...unstableNeeds, "script"]);

const { cluster } = clusterOfFile({ afterAll });

/** Prints a line for the Debian image, and runs it as a user would who pastes it. */
async function pasting(env: Readonly<Record<string, string>> = {}) {
  const slurm = await cluster();
  const { forms } = await debianImage();
  const cacheDir = join(slurm.local, "cache");
  const line = async (options: readonly string[], command: readonly string[]) => {
    const words = ["--slurm", "--cache-dir", cacheDir, "-q", ...options, forms.dockerArchive];
    const run = ["command", ...words, ...(command.length > 0 ? ["--", ...command] : [])];
    const { stdout, stderr, exitCode } = await slurm.stageRootfs(run, { cwd: slurm.shared, env });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    // Nothing is staged where the line is printed.
    expect(existsSync(join(slurm.directory, "local/cache"))).toBe(false);
    return stdout;
  };
  const atTerminal = (text: string) => {
    return slurm.run(["script", "-qec", text.trimEnd(), "/dev/null"], {
      env: { SHELL: "/bin/sh", ...env },
    });
  };
  const inShell = (text: string) => slurm.run(["sh", "-c", text], { env });
  const outputOf = (job: string) => {
    const path = join(slurm.shared, `slurm-${job}.out`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  return { slurm, line, atTerminal, inShell, outputOf };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) {
    if (condition()) return;
  }
  throw new Error("It did not become so within 30 s.");
}

describe("command --slurm", () => {
  test("prints a line that stages on a node, and gives its command this terminal", async () => {
    const { line, atTerminal, slurm } = await pasting();
    const script = "tty; echo it\\'s $((20 + 22)) $A; exit 7";
    const options = ["--slurm-arg", "nodelist=n2", "--partition", "compute", "--env", "A=b  c"];
    const text = await line([...options, "--bwrap"], ["/bin/sh", "-c", script]);
    const { stdout, exitCode } = await atTerminal(text);
    expect([exitCode, stdout]).toEqual([7, expect.stringMatching(/\/dev\/\S+\r\nit's 42 b c\r\n/)]);
    expect(existsSync(join(slurm.localOf("n2"), "cache/v1"))).toBe(true);
  });

  test("prints a line that submits the same as a job", async () => {
    const { line, inShell, outputOf, slurm } = await pasting();
    const text = await line(
      ["--sbatch", "--bwrap", "--slurm-arg=-wn3"],
      ["/bin/echo", "it's", "a  b"],
    );
    const { stdout, stderr } = await inShell(text);
    expect(stderr).toBe("");
    await slurm.settled();
    expect(outputOf(stdout.trim())).toBe("it's a  b\n");
  });

  apptainerTest(
    "prints how a job keeps an instance, and how a terminal is attached to it",
    async () => {
      const PATH = `${dirname(await unstableApptainer())}:/usr/bin:/bin`;
      const { homeOf } = await cluster();
      const config = join(homeOf("ordinary"), ".apptainer");
      const env = { PATH, APPTAINER_CONFIGDIR: config };
      const { line, inShell, atTerminal, outputOf, slurm } = await pasting(env);
      const instance = ["--instance", "work"];
      const { stdout } = await inShell(
        await line(["--sbatch", ...instance, "--env", "A=of the job"], []),
      );
      const job = stdout.trim();
      expect(job).toMatch(/^\d+$/);
      await until(() => outputOf(job).includes("INSTANCE_"));
      expect(outputOf(job)).toBe("INSTANCE_READY\n");
      const script =
        "test -t 0 && echo terminal; echo x >>/tmp/n; wc -l </tmp/n; echo $SLURM_JOB_ID";
      const text = await line(
        ["--attach", job, ...instance, "--env", "A=1"],
        ["/bin/sh", "-c", script],
      );
      for (const call of [1, 2]) {
        const seen = await atTerminal(text);
        expect([seen.exitCode, seen.stdout]).toEqual([
          0,
          expect.stringMatching(new RegExp(`terminal\\r\\n${call}\\r\\n`)),
        ]);
      }
      const wrong = await atTerminal(text.replace("--instance=work", "--instance=play"));
      expect([wrong.exitCode, wrong.stdout]).toEqual([
        125,
        expect.stringContaining('you have no instance "play" on this node'),
      ]);
      await slurm.run(["scancel", job]);
      await slurm.settled();
      expect(outputOf(job)).toContain("INSTANCE_STOPPED\n");
    },
  );
});
