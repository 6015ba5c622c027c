import type { Way } from "./choose-nodes.js";

/** The name of the jobs and steps that warm nodes. */
export const jobName = "stage-rootfs-warm";

export interface StepOptions {
  readonly way: Way;
  /** How the program is called on the nodes, without arguments. */
  readonly program: readonly [string, ...string[]];
  /** What follows `warm` beside what every node is told. */
  readonly args: readonly string[];
  /** How long a job may wait for its node, in seconds. */
  readonly startWithin: number;
  /** How long a node's work may take by its own options, in seconds. */
  readonly deadline?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The srun that warms one node. Inside an allocation it shares what the job has there. Outside, its
 * job asks for little, so that it fits onto nodes that are in use.
 */
export function stepArgv(
  node: string,
  { way, program, args, ...options }: StepOptions,
): readonly [string, ...string[]] {
  const where = [`--nodelist=${node}`, "--nodes=1", "--ntasks=1", `--job-name=${jobName}`];
  const how = way.kind === "allocation" ? stepFlags(way.job) : jobFlags(node, { way, ...options });
  const warm = ["warm", ...args, "--json", "--nice", "--file", "-"];
  const command = ["/bin/sh", "-c", startScript, ...program, ...warm];
  return ["srun", ...how, ...where, "--export=ALL", "--mpi=none", ...command];
}

/**
 * Starts the program, or says what is missing: a shell's and Node's own words for that are hard to
 * tell from others.
 */
const startScript = `
missing() { echo "stage-rootfs: $1 is not there" >&2; exit 127; }
command -v "$0" >/dev/null || missing "$0"
case $1 in /*) [ -e "$1" ] || missing "$1" ;; esac
exec "$0" "$@"`.trim();

function stepFlags(job: string): readonly string[] {
  return ["--overlap", `--jobid=${job}`];
}

interface JobOptions extends Pick<StepOptions, "startWithin" | "deadline" | "env"> {
  readonly way: Extract<Way, { readonly kind: "jobs" }>;
}

function jobFlags(node: string, { way, startWithin, deadline, env }: JobOptions) {
  const partition = way.partitions.get(node);
  const flags = [
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    "--cpus-per-task=1",
    "--mem=1G",
    "--oversubscribe",
    // Slurm takes it back by itself, also where nobody is left to say so.
    `--immediate=${Math.ceil(startWithin)}`,
  ];
  // A short job fits where a long one doesn't.
  if (deadline !== undefined && !env["SLURM_TIMELIMIT"]) {
    flags.push(`--time=${Math.ceil(deadline / 60) + 1}`);
  }
  return flags;
}

/** What is the caller's own word to srun, though a job's environment has it too. */
const kept: ReadonlySet<string> = new Set([
  "SLURM_CONF",
  "SLURM_ACCOUNT",
  "SLURM_QOS",
  "SLURM_RESERVATION",
  "SLURM_TIMELIMIT",
  "SLURM_WCKEY",
]);

/**
 * The environment of srun, which hands it on to the node. What a job has of its own job's shape
 * would be taken as wishes for the step.
 * @param run tells the runs apart in which nodes look whether they share a directory
 */
export function stepEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  { run }: { readonly run: string },
): NodeJS.ProcessEnv {
  const isInJob = Boolean(env["SLURM_JOB_ID"]);
  const own = Object.entries(env).filter(([name]) => {
    return !isInJob || !/^(?:SLURM|SRUN)_/.test(name) || kept.has(name);
  });
  return { ...Object.fromEntries(own), STAGE_ROOTFS_WARM_RUN: run };
}
