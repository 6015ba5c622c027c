import { onNodes } from "./held-nodes.js";
import { startLongStep } from "./long-step.js";

/** A directory on each of some nodes, for files that are sent there; it goes with its step. */
export interface DropPlace {
  readonly directory: string;
  /** As sbcast knows the nodes: `4711.2`. */
  readonly step: string;
  /** Those that have it. */
  readonly nodes: readonly string[];
  /** Removes it; harmless when repeated. */
  readonly end: () => Promise<void>;
}

export interface DropPlaceOptions {
  readonly job: string;
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Within how many seconds the nodes have to begin. */
  readonly startWithin: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the directory, says so, and removes it when there is nobody any more who would send
 * something: at the end of its input, which comes also when that process was killed, and on a
 * signal.
 */
const script = `
umask 077
trap 'rm -rf "$0"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$0" && made=ready || made=missing
echo "$made $SLURM_STEP_ID $SLURMD_NODENAME"
cat >/dev/null`.trim();

/** The srun that keeps a directory on nodes of a job. */
export function dropPlaceArgv(
  nodes: readonly string[],
  { job, directory }: Pick<DropPlaceOptions, "job" | "directory">,
): readonly [string, ...string[]] {
  return [...stepOf(job, nodes), "/bin/sh", "-c", script, directory];
}

/** The beginning of an srun that shares what a job has on some of its nodes. */
export function stepOf(job: string, nodes: readonly string[]): readonly [string, ...string[]] {
  return ["srun", `--jobid=${job}`, "--overlap", "--no-kill", ...onNodes(nodes)];
}

/**
 * Makes a directory on nodes of a job.
 * @throws StageError BUSY where no node has it in time; what `signal` was aborted with
 */
export async function openDropPlace(
  nodes: readonly string[],
  options: DropPlaceOptions,
): Promise<DropPlace> {
  const step = await startLongStep({
    ...options,
    argv: dropPlaceArgv(nodes, options),
    count: nodes.length,
    read: (line) => {
      const [, made, id, node] = /^(ready|missing) (\d+) (\S+)$/.exec(line) ?? [];
      return id === undefined || node === undefined ? undefined : { made, id, node };
    },
  });
  const [first] = step.said;
  return {
    directory: options.directory,
    step: `${options.job}.${first?.id ?? ""}`,
    nodes: step.said.flatMap(({ made, node }) => (made === "ready" ? [node] : [])),
    end: step.end,
  };
}
