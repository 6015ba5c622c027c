import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { NodeState } from "../node-states.js";
import type { ChosenNodes, UnusableNode } from "../warm/choose-nodes.js";

/** Which nodes one job can have at once. */
export interface BroadcastPlan {
  readonly nodes: readonly string[];
  /** The job that has them already; undefined where one is to be made. */
  readonly job: string | undefined;
  readonly partition: string | undefined;
  /** Those that would keep the others waiting. */
  readonly others: readonly UnusableNode[];
}

/**
 * Tells the nodes that a job can have at once from those that are in use, or in another partition
 * than most of them.
 */
export function planBroadcast(
  { way, usable }: ChosenNodes,
  { states }: { states: readonly NodeState[] },
): BroadcastPlan {
  if (way.kind === "allocation") {
    return { nodes: usable, job: way.job, partition: undefined, others: [] };
  }
  const full = new Set(
    states.flatMap(({ node, state }) =>
      state === "allocated" || state === "completing" ? [node] : [],
    ),
  );
  const free = usable.filter((node) => !full.has(node));
  const partition = mostCommon(free.map((node) => way.partitions.get(node)));
  const nodes = free.filter((node) => way.partitions.get(node) === partition);
  const others = usable.flatMap((node) => {
    if (full.has(node)) return [{ node, error: busy("all of the node is in use") }];
    if (way.partitions.get(node) === partition) return [];
    return [{ node, error: busy(`the node is not in partition ${partition}, as most are`) }];
  });
  return { nodes, job: undefined, partition, others };
}

function busy(message: string): StageError {
  return new StageError("BUSY", printable(message));
}

function mostCommon<Value>(values: readonly Value[]): Value | undefined {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0];
}
