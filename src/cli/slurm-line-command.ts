import { isJobId } from "../cache/leases/lease-name.js";
import { StageError } from "../errors.js";
import {
  attachLine,
  batchLine,
  instanceLine,
  type SlurmLine,
  shellLine,
  terminalLine,
} from "../fleet/slurm-line.js";
import { printable } from "../host/byte-string.js";
import { checkInstanceName } from "../launch/runtimes/apptainer.js";
import { optionWords } from "./option-words.js";
import type { CommandLine, OptionName, OptionValues } from "./options.js";
import { writeResult } from "./output.js";
import { leaveDeletedDirectory, mountedPaths, pathOptions } from "./working-directory.js";

/** What `command` takes only with `--slurm`. */
const slurmOptions = [
  "attach",
  "sbatch",
  "partition",
  "slurm-arg",
  "node-program",
] as const satisfies readonly OptionName[];

/** What is not for the nodes. An image of a Lab is named with the Lab already. */
const ownOptions: readonly OptionName[] = [...slurmOptions, "slurm", "instance", "json", "lab"];

/**
 * Refuses what would mean nothing.
 * @throws StageError USAGE
 */
export function checkSlurmOptions(values: OptionValues): void {
  const odd = slurmOptions.find((name) => values[name] !== undefined);
  if (!values.slurm && odd !== undefined) throw wrong(`--${odd} goes with --slurm`);
  if (values.script && (values.slurm || values.instance === undefined)) {
    throw wrong("--script goes with --instance, and without --slurm");
  }
}

/**
 * `stage-rootfs command --slurm IMAGE -- CMD…`: a command of Slurm's that stages IMAGE on the node
 * where CMD is to run, and runs it there. Nothing is staged here, nor asked of Slurm.
 */
export async function slurmLineCommand(line: CommandLine): Promise<number> {
  const argv = slurmArgv(line);
  const text = line.values.json ? JSON.stringify({ schemaVersion: 1, argv }) : shellLine(argv);
  await writeResult(`${text}\n`);
  return 0;
}

function slurmArgv({ values, words, rest }: CommandLine): readonly string[] {
  const { attach: jobId, sbatch, instance } = values;
  const command = rest === undefined ? [] : ["--", ...rest];
  leaveDeletedDirectory([...words, ...pathOptions(values), ...mountedPaths(values)]);
  if (words.includes("-")) throw wrong("an image from standard input can't be staged on a node");
  const line: SlurmLine = {
    directory: process.cwd(),
    partition: values.partition,
    slurmArgs: values["slurm-arg"],
    program: programOf(values),
    words: [...optionWords(values, { without: ownOptions }), ...words, ...command],
  };
  if (jobId !== undefined && sbatch) throw wrong("--attach and --sbatch exclude each other");
  if (instance === undefined) {
    if (jobId !== undefined) throw wrong("--attach needs the --instance that the job keeps");
    return sbatch ? batchLine(line) : terminalLine(line);
  }
  checkInstanceName(instance);
  if (jobId !== undefined) {
    if (isJobId(jobId)) return attachLine(line, { jobId, instance });
    throw wrong(`--attach takes a job's number, not "${printable(jobId)}"`);
  }
  if (sbatch) return instanceLine(line, { instance });
  throw wrong("--instance with --slurm needs --sbatch, to start it, or --attach JOB, to use it");
}

/** As the nodes find it too, where they have it at the same place. */
function programOf({ "node-program": given }: OptionValues): SlurmLine["program"] {
  return given === undefined ? [process.execPath, process.argv[1] ?? "stage-rootfs"] : [given];
}

function wrong(message: string): StageError {
  return new StageError("USAGE", message, { hint: "see stage-rootfs command --help" });
}
