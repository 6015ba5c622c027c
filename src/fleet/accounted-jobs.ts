import { errnoOf, StageError } from "../errors.js";
import { askSlurm } from "./slurm-answers.js";

/** States of jobs that have ended, as sacct(1) names them. */
const ended: ReadonlySet<string> = new Set([
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "REVOKED",
  "TIMEOUT",
]);

/**
 * Those of some jobs that Slurm's accounting knows and does not have as ended. Where there is no
 * `sacct`, none.
 * @throws StageError BUSY when the accounting does not answer; what `signal` was aborted with
 */
export async function jobsRecordedAsUnfinished(
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const form = ["--allusers", "--allocations", "--noheader", "--parsable2"];
  const which = ["--format=JobIDRaw,JobID,State", `--jobs=${ids.join(",")}`];
  const text = await askSlurm(["sacct", ...form, ...which], {
    to: "say how jobs have ended",
    signal,
  }).catch((error: unknown) => {
    if (error instanceof StageError && errnoOf(error.cause) === "ENOENT") return "";
    throw error;
  });
  return unfinishedIn(text);
}

function unfinishedIn(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => {
    const [raw = "", id = "", state = ""] = line.split("|");
    // "CANCELLED by 1000"
    const [word = ""] = state.split(" ");
    return line === "" || ended.has(word) ? [] : [raw, id, id.replace(/\+\d+$/, "")];
  });
}
