import { asStageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { Interrupted } from "./interruption.js";
import { writeMessage } from "./output.js";

/**
 * Says on stderr what went wrong, in one line or as JSON.
 * @returns the exit status
 */
export function reportError(error: unknown, options: { json: boolean }): number {
  const known = asStageError(error);
  if (options.json) {
    const { findings, ...report } = known.toReport();
    const error = { ...fitToPrint(report), findings: findings?.map(fitToPrint) };
    writeMessage(JSON.stringify({ error }));
  } else {
    const hint = known.hint === undefined ? "" : ` (${known.hint})`;
    writeMessage(`stage-rootfs: ${printable(known.message + hint)}`);
  }
  if (process.env["STAGE_ROOTFS_DEBUG"] === "1") writeMessage(stackOf(error));
  return error instanceof Interrupted ? error.signalStatus : known.exitStatus;
}

function fitToPrint<Said extends { message: string; hint?: string }>(said: Said): Said {
  const { message, hint } = said;
  return { ...said, message: printable(message), ...(hint && { hint: printable(hint) }) };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
