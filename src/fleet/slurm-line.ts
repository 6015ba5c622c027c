import { quoteWord } from "../launch/shell-quote.js";

/** What a command of Slurm's is to be given, and what it starts on a node. */
export interface SlurmLine {
  /** Where to start; relative paths among `words` go from there. */
  readonly directory: string;
  readonly partition?: string | undefined;
  /** Options of srun's or sbatch's, with or without their dashes: `time=8:00:00`. Default: none. */
  readonly slurmArgs?: readonly string[] | undefined;
  /** How the nodes start stage-rootfs. */
  readonly program: readonly [string, ...string[]];
  /** The image, with the options and the command that are for the nodes. */
  readonly words: readonly string[];
}

type Argv = readonly [string, ...string[]];

/** Stages on a node, and runs the command there, in a job of its own at the caller's terminal. */
export function terminalLine(line: SlurmLine): Argv {
  return ["srun", "--pty", ...options(line), ...line.program, "run", "--tty", ...line.words];
}

/** Runs the command in an instance that a job keeps, at the caller's terminal. */
export function attachLine(
  line: SlurmLine,
  { jobId, instance }: { readonly jobId: string; readonly instance: string },
): Argv {
  const job = ["--overlap", `--jobid=${jobId}`];
  const run = ["run", "--tty", `--instance=${instance}`];
  return ["srun", "--pty", ...job, ...options(line), ...line.program, ...run, ...line.words];
}

/** Submits a job that stages on its node, and runs the command there. It prints the job's ID. */
export function batchLine(line: SlurmLine): Argv {
  return batch(line, shellLine([...line.program, "run", ...line.words]));
}

/**
 * Submits a job that stages on its node and keeps an instance there, by the script that
 * `stage-rootfs command --instance NAME --script` prints on that node.
 */
export function instanceLine(line: SlurmLine, { instance }: { readonly instance: string }): Argv {
  const command = ["command", `--instance=${instance}`, "--script", ...line.words];
  const script = `script=$(${shellLine([...line.program, ...command])})`;
  return batch(line, `${script} || { echo INSTANCE_FAILED; exit 1; }; eval "$script"`);
}

function batch(line: SlurmLine, script: string): Argv {
  return ["sbatch", "--parsable", ...options(line), `--wrap=${script}`];
}

function options({ directory, partition, slurmArgs = [] }: SlurmLine): readonly string[] {
  return [
    `--chdir=${directory}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    // Last, so that they go before the others.
    ...slurmArgs.map((arg) => (arg.startsWith("-") ? arg : `--${arg}`)),
  ];
}

/** Words as a POSIX shell reads them back. */
export function shellLine(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
