import type { LaunchPlan } from "../launch/plan.js";
import type { Runtime } from "../launch/runtime.js";
import {
  apptainerCommand,
  apptainerInstance,
  type InstanceOptions,
} from "../launch/runtimes/apptainer.js";
import { quoteWord, toShell } from "../launch/shell-quote.js";

/** What a job asks Slurm for. */
export interface SlurmResources {
  /** Default: `compute`. */
  readonly partition?: string | undefined;
  /** As Slurm writes it; default: `8:00:00`. */
  readonly time?: string | undefined;
  /** Default: 4. */
  readonly cpus?: number | undefined;
  /** In GiB; default: 16. */
  readonly memory?: number | undefined;
}

/** A command of Slurm's, to be started with the caller's environment and these variables. */
export interface SlurmCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export interface BatchOptions extends SlurmResources {
  readonly jobName: string;
  /** Path of a file with the {@link instanceScript}. */
  readonly scriptPath: string;
  /** Where the script tells how it goes; default: `JOBNAME-%j.out`, where sbatch is started. */
  readonly output?: string | undefined;
}

/** Submits a job that keeps an instance. It prints the job's ID. */
export function batchCommand(options: BatchOptions): SlurmCommand {
  const { jobName, scriptPath, output = `${jobName}-%j.out` } = options;
  const name = [`--job-name=${jobName}`, `--output=${output}`];
  return {
    argv: ["sbatch", "--parsable", ...resourceFlags(options), ...name, scriptPath],
    env: {},
  };
}

/**
 * A job script that starts an instance, prints INSTANCE_READY or INSTANCE_FAILED, stays as long as
 * the instance does, and takes it along when the job is ended.
 * @throws StageError SANDBOX, USAGE
 */
export function instanceScript(plan: LaunchPlan, options: InstanceOptions): string {
  const { start, stop } = apptainerInstance(plan, options);
  const { name, runtime } = options;
  const list = toShell({
    ...stop,
    argv: [runtime.program, "--quiet", "instance", "list", name],
  });
  // Its own pattern would match other names too.
  const isListed = `awk -v name=${quoteWord(name)} 'NR > 1 && $1 == name { n++ } END { exit !n }'`;
  return `#!/bin/sh
if ! ${toShell(start)}; then
  echo INSTANCE_FAILED
  exit 1
fi
echo INSTANCE_READY
end() {
  ${toShell(stop)}
  echo INSTANCE_STOPPED
  exit
}
trap end TERM INT
while ${list} | ${isListed}; do
  sleep 10 >/dev/null 2>&1 &
  wait $!
done
echo INSTANCE_STOPPED
`;
}

/**
 * Runs the plan's command in an instance that a job keeps, at the caller's terminal.
 * @throws StageError SANDBOX, USAGE
 */
export function attachCommand(
  plan: LaunchPlan,
  { jobId, ...instance }: InstanceOptions & { readonly jobId: string },
): SlurmCommand {
  const { exec } = apptainerInstance(plan, instance);
  const slurm = ["--pty", "--overlap", `--jobid=${jobId}`, "--export=ALL"];
  return { argv: ["srun", ...slurm, ...exec.argv], env: withoutPath(exec.env) };
}

/**
 * Runs the plan's command in a job of its own, at the caller's terminal.
 * @throws StageError SANDBOX
 */
export function directCommand(
  plan: LaunchPlan,
  { runtime, jobName, ...resources }: DirectOptions,
): SlurmCommand {
  const { argv, env } = apptainerCommand(plan, runtime);
  const slurm = ["--pty", "--chdir=/tmp", ...resourceFlags(resources), `--job-name=${jobName}`];
  return { argv: ["srun", ...slurm, "--export=ALL", ...argv], env: withoutPath(env) };
}

export interface DirectOptions extends SlurmResources {
  readonly runtime: Runtime;
  readonly jobName: string;
}

function resourceFlags(resources: SlurmResources): readonly string[] {
  const { partition = "compute", time = "8:00:00", cpus = 4, memory = 16 } = resources;
  return [
    `--partition=${partition}`,
    `--time=${time}`,
    `--cpus-per-task=${cpus}`,
    `--mem=${memory}G`,
  ];
}

/** Slurm has a PATH of the caller's. */
function withoutPath(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { PATH: _, ...others } = env;
  return others;
}
