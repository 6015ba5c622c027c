import { runSlurm } from "./run-slurm.js";

export interface Question {
  /** What Slurm is asked to do, for the error: `say which jobs exist`. */
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks Slurm by one of its programs, whatever the caller has set to have it show less, or another
 * cluster.
 * @throws StageError BUSY when Slurm can't be asked or does not answer; what `signal` was aborted with
 */
export async function askSlurm(
  argv: readonly [string, ...string[]],
  { to, signal }: Question,
): Promise<string> {
  return await runSlurm(argv, { to, signal, env: plainEnvironment(process.env) });
}

/** `SQUEUE_USERS`, `SACCT_FEDERATION`, `SLURM_CLUSTERS` and the like are options of each call. */
function plainEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const plain = Object.entries(env).filter(
    ([name]) => !/^(?:SQUEUE|SACCT|SCONTROL)_|^SLURM_CLUSTERS$/.test(name),
  );
  return Object.fromEntries(plain);
}
