import { compressNodeList } from "../node-list.js";
import { jobName } from "../warm/step-plan.js";
import { startLongStep } from "./long-step.js";

/** A job that has the nodes as long as it is wanted. */
export interface HeldNodes {
  readonly job: string;
  /** Those that have begun. */
  readonly nodes: readonly string[];
  /** Gives them back; harmless when repeated. */
  readonly end: () => Promise<void>;
}

export interface HoldOptions {
  readonly partition: string | undefined;
  /** Within how many seconds Slurm has to give the nodes. */
  readonly startWithin: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** What each node runs meanwhile. It ends with whoever holds the other end of its input. */
const script = 'echo "$SLURM_JOB_ID $SLURMD_NODENAME"; cat >/dev/null';

/**
 * The srun that has a job on all nodes at once. It asks for little, so that it fits onto nodes that
 * are in use, and lasts when one of them fails.
 */
export function holdArgv(
  nodes: readonly string[],
  { partition, startWithin }: Pick<HoldOptions, "partition" | "startWithin">,
): readonly [string, ...string[]] {
  const where = partition === undefined ? [] : [`--partition=${partition}`];
  const modest = ["--cpus-per-task=1", "--mem=1G", "--oversubscribe", "--no-kill"];
  const inTime = `--immediate=${Math.ceil(startWithin)}`;
  return ["srun", ...where, ...onNodes(nodes), ...modest, inTime, "/bin/sh", "-c", script];
}

/** Flags that put one task on each of some nodes, whatever becomes of the others. */
export function onNodes(nodes: readonly string[]): readonly string[] {
  return [
    ...[`--nodelist=${compressNodeList(nodes)}`, `--nodes=${nodes.length}`],
    ...[`--ntasks=${nodes.length}`, "--ntasks-per-node=1", `--job-name=${jobName}`],
    ...["--kill-on-bad-exit=0", "--wait=0", "--export=ALL", "--mpi=none"],
  ];
}

/**
 * Has Slurm give all of some nodes at once.
 * @throws StageError BUSY when it does not in time; what `signal` was aborted with
 */
export async function holdNodes(
  nodes: readonly string[],
  options: HoldOptions,
): Promise<HeldNodes> {
  const step = await startLongStep({
    ...options,
    argv: holdArgv(nodes, options),
    count: nodes.length,
    read: (line) => {
      const [, job, node] = /^(\d+) (\S+)$/.exec(line) ?? [];
      return job === undefined || node === undefined ? undefined : { job, node };
    },
  });
  const job = step.said[0]?.job ?? "";
  return { job, nodes: step.said.map(({ node }) => node), end: step.end };
}
