import { runSlurm } from "./run-slurm.js";

/** What Slurm says of a node. */
export interface NodeState {
  readonly node: string;
  /** Without marks: `idle`, `mixed`, `drained`, … */
  readonly state: string;
  /** Whether its daemon answered the last time. */
  readonly isResponding: boolean;
  /** What the administrator, or Slurm itself, gave for it; empty where there is none. */
  readonly reason: string;
  /** The partitions it is in, the default one first. */
  readonly partitions: readonly string[];
}

export interface NodeQuery {
  /** As Slurm writes it. Default: all nodes. */
  readonly nodes?: string | undefined;
  /** Default: all that the caller may use. */
  readonly partition?: string | undefined;
}

/** One line for each node in each partition; what may have any character is last. */
const format = "%N|%P|%T|%E";

/** @throws StageError BUSY; what `signal` was aborted with */
export async function nodeStates(
  { nodes, partition }: NodeQuery,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly NodeState[]> {
  const asked = [
    ...(nodes === undefined ? [] : [`--nodes=${nodes}`]),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
  ];
  const argv = ["sinfo", "--Node", "--noheader", `--format=${format}`, ...asked] as const;
  return parseNodeStates(await runSlurm(argv, { to: "tell the states of nodes", signal }));
}

/** Reads what sinfo prints. Each node is named once, in the order of its first line. */
export function parseNodeStates(text: string): readonly NodeState[] {
  const found = new Map<string, NodeState>();
  for (const line of text.split("\n")) {
    const [node, partition, marked, ...rest] = line.trim().split("|");
    if (!node || !partition || !marked) continue;
    const isDefault = partition.endsWith("*");
    const name = isDefault ? partition.slice(0, -1) : partition;
    const others = found.get(node)?.partitions ?? [];
    const reason = rest.join("|");
    found.set(node, {
      node,
      state: marked.replace(/[^a-z_]+$/i, "").toLowerCase(),
      isResponding: !marked.includes("*"),
      reason: reason === "none" ? "" : reason,
      partitions: isDefault ? [name, ...others] : [...others, name],
    });
  }
  return [...found.values()];
}
