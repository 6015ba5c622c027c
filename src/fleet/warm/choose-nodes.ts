import { setTimeout as sleep } from "node:timers/promises";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { expandNodeList } from "../node-list.js";
import { type NodeQuery, type NodeState, nodeStates } from "../node-states.js";

/** How steps get onto the nodes: into a job that has them, or each as a job of its own. */
export type Way =
  | { readonly kind: "allocation"; readonly job: string }
  | { readonly kind: "jobs"; readonly partitions: ReadonlyMap<string, string> };

export interface ChosenNodes {
  readonly way: Way;
  /** Those that a step can be tried on. */
  readonly usable: readonly string[];
  readonly unusable: readonly UnusableNode[];
}

export interface UnusableNode {
  readonly node: string;
  readonly error: StageError;
}

export interface NodeWish {
  /** As Slurm writes it: `n[1-3],gpu7`. */
  readonly nodes?: string | undefined;
  readonly partition?: string | undefined;
}

/**
 * The nodes that are meant: those of the wish, else those of the job this process runs in.
 * @throws StageError USAGE, NOT_FOUND, BUSY; what `signal` was aborted with
 */
export async function chooseNodes(
  wish: NodeWish,
  options: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ChosenNodes> {
  const { env, signal } = options;
  const job = env["SLURM_JOB_ID"];
  const ofJob = job ? env["SLURM_JOB_NODELIST"] : undefined;
  const list = wish.nodes ?? (wish.partition === undefined ? ofJob : undefined);
  if (list === undefined && wish.partition === undefined) throw noNodes();
  const wanted = list === undefined ? undefined : await expandNodeList(list, { signal });
  const states = await settledStates({ nodes: list, partition: wish.partition }, options);
  const names = wanted ?? states.map(({ node }) => node);
  if (names.length === 0) throw emptyPartition(wish);
  const isInside =
    job !== undefined &&
    ofJob !== undefined &&
    wish.partition === undefined &&
    isAmong(names, await expandNodeList(ofJob, { signal }));
  return planNodes(names, { states, job: isInside ? job : undefined, wish });
}

/** A node that was just given back, or is busy, does not respond for a moment. In milliseconds. */
const secondLook = 3000;

/** What Slurm says of nodes; where some don't respond, what it says a little later. */
async function settledStates(
  query: NodeQuery,
  options: { readonly signal?: AbortSignal | undefined },
): Promise<readonly NodeState[]> {
  const { signal } = options;
  const states = await nodeStates(query, { signal });
  if (states.every(({ isResponding, state }) => isResponding || dead.has(state))) return states;
  await sleep(secondLook, undefined, { signal }).catch(() => signal?.throwIfAborted());
  return await nodeStates(query, { signal });
}

/** Tells the nodes that can be used from those that can't. */
export function planNodes(
  names: readonly string[],
  plan: {
    readonly states: readonly NodeState[];
    /** The job that has them all, if one does. */
    readonly job: string | undefined;
    readonly wish: NodeWish;
  },
): ChosenNodes {
  const { job, wish } = plan;
  const states = new Map(plan.states.map((state) => [state.node, state]));
  const partitions = new Map<string, string>();
  const usable: string[] = [];
  const unusable: UnusableNode[] = [];
  for (const node of names) {
    const state = states.get(node);
    const error = state ? faultOf(state, { isInside: job !== undefined }) : unknownNode(wish);
    if (error) {
      unusable.push({ node, error });
      continue;
    }
    usable.push(node);
    const partition = wish.partition ?? state?.partitions[0];
    if (partition !== undefined) partitions.set(node, partition);
  }
  const way: Way = job === undefined ? { kind: "jobs", partitions } : { kind: "allocation", job };
  return { way, usable, unusable };
}

/** States in which a node runs nothing, not even for a job that has it. */
const dead: ReadonlySet<string> = new Set(["down", "error", "future", "inval", "unknown"]);

/** States in which a node takes no new jobs. */
const closed: ReadonlySet<string> = new Set(["drained", "draining", "drain", "fail", "failing"]);

function faultOf(
  { state, isResponding, reason }: NodeState,
  { isInside }: { readonly isInside: boolean },
): StageError | undefined {
  const isDead = dead.has(state);
  if (!isDead && isResponding && (isInside || !closed.has(state))) return undefined;
  const what = isDead || closed.has(state) ? `is ${state}` : "does not respond";
  const why = reason === "" ? "" : `: ${reason}`;
  return new StageError("BUSY", printable(`the node ${what}${why}`), {
    hint: "once it is mended, scontrol update NodeName=... State=RESUME gives it back",
  });
}

function unknownNode({ partition }: NodeWish): StageError {
  const where = partition === undefined ? "Slurm has" : `partition ${partition} has`;
  return new StageError("NOT_FOUND", printable(`${where} no such node that you may use`), {
    hint: "sinfo --Node lists them",
  });
}

function noNodes(): StageError {
  return new StageError("USAGE", "no nodes are given, and this is no job of Slurm's", {
    hint: "say --nodes LIST or --partition NAME, or call it in a job: salloc -N4 stage-rootfs warm --slurm ...",
  });
}

function emptyPartition({ nodes, partition }: NodeWish): StageError {
  if (nodes !== undefined) return new StageError("USAGE", `--nodes names no node`);
  return new StageError(
    "NOT_FOUND",
    printable(`Slurm has no partition ${partition} that you may use`),
    { hint: "sinfo lists them" },
  );
}

function isAmong(names: readonly string[], others: readonly string[]): boolean {
  const known = new Set(others);
  return names.every((name) => known.has(name));
}
