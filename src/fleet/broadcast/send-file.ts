import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { runStep } from "../warm/run-step.js";
import type { DropPlace } from "./drop-place.js";

export interface SendOptions {
  readonly place: Pick<DropPlace, "step" | "directory">;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** How a sending went. */
export interface Sent {
  /** Those of which Slurm said that they did not get the file. */
  readonly without: readonly string[];
  /** Why not all nodes have it; undefined where they do. */
  readonly error: StageError | undefined;
}

/** sbcast says nothing on stdout, however long it takes; in seconds. */
const aFewDays = 300_000;

/**
 * The sbcast that sends a file to the nodes of a step. What is there from a try before gives way.
 * Layers are compressed already, so that compressing them again would cost and gain nothing.
 */
export function sendArgv(
  path: string,
  { step, directory }: SendOptions["place"],
): readonly [string, ...string[]] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return ["sbcast", "--force", `--jobid=${step}`, path, `${directory}/${name}`];
}

/**
 * Sends a file to nodes by the tree of Slurm's daemons, each of which hands it on to some others.
 * @throws StageError NOT_FOUND when there is no sbcast; what `signal` was aborted with
 */
export async function sendFile(path: string, { place, env, signal }: SendOptions): Promise<Sent> {
  const lines: string[] = [];
  const { exitCode } = await runStep({
    argv: sendArgv(path, place),
    env,
    input: "",
    startWithin: aFewDays,
    signal,
    onLine: () => {},
    onMessage: (line) => void lines.push(line),
  });
  if (exitCode === 0) return { without: [], error: undefined };
  const said = lines.at(-1)?.replace(/^sbcast: error: /, "") ?? `it ended with ${exitCode}`;
  return {
    without: refusedBy(lines),
    error: new StageError("BUSY", printable(`sbcast could not send the image: ${said}`)),
  };
}

/** The nodes that sbcast names in its errors. */
export function refusedBy(lines: readonly string[]): readonly string[] {
  const named = lines.flatMap((line) => /REQUEST_FILE_BCAST\(([^)\s]+)\)/.exec(line)?.[1] ?? []);
  return [...new Set(named)];
}
