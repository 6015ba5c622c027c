import { expect, test } from "vitest";
import { parseCommandLine } from "../../src/cli/options.js";
import { checkSlurmOptions, slurmLineCommand } from "../../src/cli/slurm-line-command.js";
import { refusal, rejection } from "../support/refusal.js";

test.each([
  ["--attach 7 i.tar", "--attach goes with --slurm"],
  ["--sbatch i.tar", "--sbatch goes with --slurm"],
  ["--slurm-arg time=1 i.tar", "--slurm-arg goes with --slurm"],
  ["--script i.tar", "--script goes with --instance, and without --slurm"],
  ["--slurm --instance x --script i.tar", "--script goes with --instance, and without --slurm"],
])("%s means nothing", (line, message) => {
  const { values } = parseCommandLine(line.split(" "));
  expect(refusal(() => checkSlurmOptions(values)).toReport()).toMatchObject({
    code: "USAGE",
    message,
  });
});

test.each([
  ["--slurm -", "an image from standard input can't be staged on a node"],
  ["--slurm --attach 7 --sbatch --instance x i.tar", "--attach and --sbatch exclude each other"],
  ["--slurm --attach 7 i.tar", "--attach needs the --instance that the job keeps"],
  ["--slurm --attach x --instance x i.tar", '--attach takes a job\'s number, not "x"'],
  ["--slurm --sbatch --instance x/y i.tar", '"x/y" is no name for an instance'],
  [
    "--slurm --instance x i.tar",
    "--instance with --slurm needs --sbatch, to start it, or --attach JOB, to use it",
  ],
])("%s is refused", async (text, message) => {
  const line = parseCommandLine(text.split(" "));
  const error = await rejection(slurmLineCommand(line));
  expect(error.toReport()).toMatchObject({ code: "USAGE", message });
});
