import { randomBytes } from "node:crypto";
import type { WarmEvent } from "../../stage/warm/warm-event.js";
import { parseWarmEvent } from "../warm/parse-event.js";
import { runStep } from "../warm/run-step.js";
import { stepOf } from "./drop-place.js";

/** What one `stage-rootfs warm` does on several nodes at once. */
export interface NodesStep {
  readonly job: string;
  readonly nodes: readonly string[];
  readonly program: readonly [string, ...string[]];
  /** What follows `warm` beside what every node is told. */
  readonly args: readonly string[];
  readonly images: readonly string[];
  /** A file that goes when the node is done with it, whatever the outcome. */
  readonly removes?: string | undefined;
  /** Within how many seconds the first node has to say something. */
  readonly startWithin: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: WarmEvent) => void;
}

/** A name for a directory on nodes that no other run has. */
export function dropName(): string {
  return `sbcast-${randomBytes(8).toString("hex")}`;
}

const removing = '"$@"; status=$?; rm -f "$0"; exit $status';

/** The srun that warms some nodes of a job at once. */
export function nodesStepArgv(
  step: Pick<NodesStep, "job" | "nodes" | "program" | "args" | "removes">,
): readonly [string, ...string[]] {
  const { job, nodes, program, args, removes } = step;
  const warm = [...program, "warm", ...args, "--json", "--nice", "--file", "-"];
  const shell = removes === undefined ? [] : ["/bin/sh", "-c", removing, removes];
  return [...stepOf(job, nodes), ...shell, ...warm];
}

/**
 * Warms some nodes of a job at once. What they tell is passed on as it comes.
 * @returns the nodes that came to their end
 * @throws StageError NOT_FOUND when there is no srun; what `signal` was aborted with
 */
export async function runOnNodes(step: NodesStep): Promise<ReadonlySet<string>> {
  const { images, env, startWithin, signal, onEvent } = step;
  const members = new Set(step.nodes);
  const ended = new Set<string>();
  await runStep({
    argv: nodesStepArgv(step),
    env,
    input: images.map((image) => `${image}\n`).join(""),
    startWithin,
    signal,
    onLine: (line) => {
      const event = parseWarmEvent(line);
      if (!event || !members.has(event.node)) return;
      if (event.type === "end") ended.add(event.node);
      onEvent(event);
    },
    onMessage: () => {},
  });
  return ended;
}
