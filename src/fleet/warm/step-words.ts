import { type ErrorReport, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { parseErrorLine } from "./parse-event.js";

/** What srun says whatever the reason. */
const hollow = [
  /^srun: error: \S+: tasks? [\d,-]+: /,
  /^srun: (?:forcing|interrupt|sending|launch\/|job \d+ |Job step aborted|Job allocation \d+ has been revoked|Force Terminated|StepId=)/,
  /^srun: error: Something is wrong with the boot/,
  /^srun: error: Timed out waiting for job step to complete/,
  /^Node\.js v\d/,
];

/** Why a step failed, by the last lines it wrote to stderr and by how it ended. */
export function faultOfStep(
  lines: readonly string[],
  end: { readonly exitCode: number | null; readonly program: string },
): ErrorReport {
  const said = lines.map((line) => line.trim()).filter((line) => line !== "");
  const own = said.flatMap((line) => parseErrorLine(line) ?? []).at(-1);
  if (own) return own;
  const { exitCode, program } = end;
  const telling = said.filter((line) => !hollow.some((pattern) => pattern.test(line)));
  const words = telling.at(-1) ?? said.at(-1) ?? `srun ended with status ${exitCode}`;
  const reason = printable(
    words.replace(/^(?:srun|slurmstepd-\S+|stage-rootfs): (?:error: )?/, ""),
  );
  if (exitCode === 127) {
    return new StageError("NOT_FOUND", `the program can't be started there: ${reason}`, {
      hint: `have ${program} on every node, or say where it is with --node-program`,
    }).toReport();
  }
  return new StageError("BUSY", reason, { hint: hintFor(reason) }).toReport();
}

function hintFor(reason: string): string {
  if (/nodes? are busy/i.test(reason)) {
    return "all of the node is in use: allow more time with --start-within, or call it in a job that has the node";
  }
  return "squeue, sinfo and the node's slurmd.log may say more";
}
