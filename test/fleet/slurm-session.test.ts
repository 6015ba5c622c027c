import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  attachCommand,
  batchCommand,
  directCommand,
  instanceScript,
} from "../../src/fleet/slurm-session.js";
import { planLaunch } from "../../src/launch/plan.js";
import type { Runtime } from "../../src/launch/runtime.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const config = { env: ["A=it's\n$x"], entrypoint: null, cmd: ["/bin/app"], workingDir: "/work" };
const plan = planLaunch({ rootfs: "/r", singularity: "/s", config, mountPoints: [] });
const runtime: Runtime = { name: "apptainer", program: "apptainer" };

describe("lines for Slurm", () => {
  test("submit a script with what SciTeX asks for, and a place for what it says", () => {
    expect(batchCommand({ jobName: "scitex_alice_p", scriptPath: "/j/run.sh" })).toEqual({
      argv: [
        ...["sbatch", "--parsable", "--partition=compute", "--time=8:00:00", "--cpus-per-task=4"],
        ...["--mem=16G", "--job-name=scitex_alice_p", "--output=scitex_alice_p-%j.out"],
        "/j/run.sh",
      ],
      env: {},
    });
    const asked = { partition: "gpu", time: "10", cpus: 2, memory: 3, output: "/o" };
    expect(batchCommand({ jobName: "n", scriptPath: "s", ...asked }).argv.slice(2, -1)).toEqual([
      ...["--partition=gpu", "--time=10", "--cpus-per-task=2", "--mem=3G", "--job-name=n"],
      "--output=/o",
    ]);
  });

  test("attach to the instance of a job", () => {
    const command = attachCommand(plan, { runtime, name: "inst", jobId: "4711" });
    expect(command.argv).toEqual([
      ...["srun", "--pty", "--overlap", "--jobid=4711", "--export=ALL"],
      ...["apptainer", "--quiet", "exec", "--cleanenv", "--no-eval", "--drop-caps"],
      ...[expect.stringContaining("CAP_SYS_ADMIN"), "--pwd", "/work"],
      ...["instance://inst", "/bin/app"],
    ]);
    expect(Object.keys(command.env).sort()).toEqual(["APPTAINERENV_A", "APPTAINERENV_PATH"]);
  });

  test("run in a job of their own", () => {
    const { argv, env } = directCommand(plan, { runtime, jobName: "terminal_alice", memory: 1 });
    expect(argv.slice(0, 11)).toEqual([
      ...["srun", "--pty", "--chdir=/tmp", "--partition=compute", "--time=8:00:00"],
      ...["--cpus-per-task=4", "--mem=1G", "--job-name=terminal_alice", "--export=ALL"],
      ...["apptainer", "--quiet"],
    ]);
    expect(argv.slice(-2)).toEqual(["/r", "/bin/app"]);
    expect(env["APPTAINERENV_A"]).toBe("it's\n$x");
  });
});

describe("the script that keeps an instance", () => {
  /** Runs it with an apptainer that says what it is told, and lists what `listed` prints. */
  function run({ start, listed }: { start: string; listed: string }): string {
    const directory = scratchDirectory();
    const program = `${directory}/apptainer`;
    const fake = [
      "#!/bin/sh",
      `case "$3" in start) ${start} ;; list) ${listed} ;; stop) echo stopped "$4"; touch ${directory}/s ;; esac`,
    ];
    writeFileSync(program, `${fake.join("\n")}\n`);
    chmodSync(program, 0o755);
    const script = instanceScript(plan, { runtime: { ...runtime, program }, name: "a.b" });
    writeFileSync(`${directory}/script`, script);
    const shell = `cd ${directory}; sh script; echo "status $?"`;
    return execFileSync("/bin/sh", ["-c", shell], { encoding: "utf8", timeout: 20_000 });
  }

  const header = 'echo "INSTANCE NAME    PID"';

  test("says when it is ready, and when it has stopped", () => {
    const start = 'echo "start $APPTAINERENV_A"';
    expect(run({ start, listed: header })).toBe(
      "start it's\n$x\nINSTANCE_READY\nINSTANCE_STOPPED\nstatus 0\n",
    );
  });

  test("says when it can't be started", () => {
    expect(run({ start: "exit 255", listed: header })).toBe("INSTANCE_FAILED\nstatus 1\n");
  });

  test("does not wait for another instance with a similar name", () => {
    const listed = `${header}; echo "a.b2  1"; echo "aab  2"; echo "xa.b  3"`;
    expect(run({ start: ":", listed })).toContain("INSTANCE_STOPPED");
  });

  test("stops it when the job is told to end", () => {
    const listed = `${header}; test -e s || echo "a.b  1"; kill -TERM $PPID`;
    const said = run({ start: ":", listed });
    expect(said).toBe("INSTANCE_READY\nstopped a.b\nINSTANCE_STOPPED\nstatus 0\n");
  });
});
