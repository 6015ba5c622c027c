import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { asStageError, type ErrorReport } from "../../errors.js";
import { now } from "../../host/clock.js";
import { findProgram } from "../../launch/find-program.js";
import { chooseNodes, type NodeWish } from "./choose-nodes.js";
import type { FleetEvent, FleetReport, NodeResult } from "./fleet-event.js";
import { FleetTally } from "./fleet-tally.js";
import { NodeListener } from "./node-listener.js";
import { notEnded, notStarted, runStep } from "./run-step.js";
import { type StepOptions, stepArgv, stepEnvironment } from "./step-plan.js";
import { faultOfStep } from "./step-words.js";

export interface FleetOptions extends NodeWish {
  /** How the program is called on the nodes: a path, or Node's and the script's. */
  readonly program: readonly [string, ...string[]];
  /** Options for `stage-rootfs warm` on the nodes. */
  readonly args?: readonly string[] | undefined;
  /** How many nodes are at work at the same time, at most. Default: 64. */
  readonly fanIn?: number | undefined;
  /** How often a node that fails as a whole is tried again. Default: 0. */
  readonly retry?: number | undefined;
  /** Within how many seconds a node has to begin. Default: 120. */
  readonly startWithin?: number | undefined;
  /**
   * How long a node's work may take by `args`, in seconds. One that goes on for a minute longer is
   * given up. Default: no limit.
   */
  readonly deadline?: number | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called first, with all nodes in order. */
  readonly onNodes?: ((nodes: readonly string[]) => void) | undefined;
  readonly onEvent?: ((event: FleetEvent) => void) | undefined;
}

/** A registry and a controller stand so many at once, and 20,000 nodes are not long in coming. */
export const defaultFanIn = 64;

/** Longer than Slurm's scheduler takes for a turn. */
export const defaultStartWithin = 120;

/**
 * How long a node may go on after its deadline, in seconds: it clears up then. What is still there
 * hangs, and Slurm does not end a job's step for that.
 */
const grace = 60;

/**
 * Has Slurm stage images on many nodes: a step each, in the job that this process is in, else in a
 * job of its own. What fails on a node is in the report and keeps no other node from its work.
 * @throws StageError USAGE, NOT_FOUND, BUSY when it is not known which nodes are meant; what
 * `signal` was aborted with, after all steps and jobs were cancelled
 */
export async function warmNodes(
  images: readonly string[],
  options: FleetOptions,
): Promise<FleetReport> {
  return await new FleetRun(images, options).execute();
}

/** A node, tried for the first time or again. */
interface Try {
  readonly node: string;
  readonly attempt: number;
}

class FleetRun {
  readonly #images: readonly string[];
  readonly #options: FleetOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #tally = new FleetTally();
  readonly #startedAt = now();

  constructor(images: readonly string[], options: FleetOptions) {
    this.#images = images;
    this.#options = options;
    this.#env = options.env ?? process.env;
  }

  async execute(): Promise<FleetReport> {
    const {
      signal,
      startWithin = defaultStartWithin,
      deadline,
      program,
      args = [],
    } = this.#options;
    const { way, usable, unusable } = await chooseNodes(this.#options, { env: this.#env, signal });
    this.#options.onNodes?.([...usable, ...unusable.map(({ node }) => node)]);
    for (const { node, error } of unusable) this.#tell(failed(node, { error: error.toReport() }));
    const step = { way, program, args, startWithin, deadline, env: this.#env };
    const env = stepEnvironment(this.#env, { run: randomBytes(8).toString("hex") });
    let left: readonly Try[] = usable.map((node) => ({ node, attempt: 1 }));
    for (let round = 1; left.length > 0; round++) {
      if (round > 1) await this.#pause(round);
      left = await this.#round(left, { step, env });
    }
    return this.#tally.report({ ms: Math.round(now() - this.#startedAt) });
  }

  /** @returns what is to be tried again */
  async #round(tries: readonly Try[], how: Launch): Promise<readonly Try[]> {
    const again: Try[] = [];
    const queue = tries.values();
    const { fanIn = defaultFanIn } = this.#options;
    const work = async () => {
      for (const each of queue) {
        const next = await this.#try(each, how);
        if (next) again.push(next);
      }
    };
    const all = Array.from({ length: Math.min(fanIn, tries.length) }, work);
    // All steps are to have ended, also where one of them could not go on.
    const broken = (await Promise.allSettled(all)).find((end) => end.status === "rejected");
    if (broken) throw broken.reason;
    return again;
  }

  async #try(one: Try, launch: Launch): Promise<Try | undefined> {
    const { node, attempt } = one;
    const { retry = 0 } = this.#options;
    const startedAt = now();
    this.#tell({ type: "step", node, state: "starting", attempt, error: null });
    const listener = new NodeListener(node, { attempt, tell: (event) => this.#tell(event) });
    const error = await this.#step(node, { launch, listener });
    const ms = Math.round(now() - startedAt);
    const result = listener.result({ ms });
    if (result) {
      this.#tell(result);
      return undefined;
    }
    if (attempt > retry || error.code !== "BUSY") {
      this.#tell(failed(node, { error, ms, ready: listener.ready }));
      return undefined;
    }
    this.#tell({ type: "step", node, state: "retrying", attempt: attempt + 1, error });
    return { node, attempt: attempt + 1 };
  }

  /** @returns why it failed, if it did */
  async #step(
    node: string,
    { launch, listener }: { readonly launch: Launch; readonly listener: NodeListener },
  ): Promise<ErrorReport> {
    const { signal } = this.#options;
    const { step, env } = launch;
    const { startWithin, program, deadline } = step;
    const endWithin = deadline === undefined ? undefined : deadline + grace;
    try {
      const end = await runStep({
        argv: guarded(stepArgv(node, step), this.#env["PATH"]),
        env,
        input: this.#images.map((image) => `${image}\n`).join(""),
        startWithin,
        endWithin,
        signal,
        onLine: (line) => listener.hear(line),
        onMessage: (line) => listener.hearMessage(line),
      });
      if (end.late === "start") return notStarted(end, { startWithin }).toReport();
      if (end.late === "end") return notEnded({ endWithin: endWithin ?? 0 }).toReport();
      const { words, exitCode } = end;
      return faultOfStep(words, { exitCode, program: program.at(-1) ?? "" });
    } catch (error) {
      signal?.throwIfAborted();
      return asStageError(error).toReport();
    }
  }

  async #pause(round: number): Promise<void> {
    const { signal } = this.#options;
    const ms = Math.min(30_000, 1000 * 2 ** (round - 2));
    await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }

  #tell(event: FleetEvent): void {
    const isNews =
      event.type === "node" &&
      event.sharedWith.length > 0 &&
      !this.#tally.isShared(event.cacheDirectory);
    this.#tally.add(event);
    this.#options.onEvent?.(event);
    if (!isNews) return;
    const { cacheDirectory, sharedWith, node } = event;
    this.#options.onEvent?.({ type: "shared", nodes: [...sharedWith, node], cacheDirectory });
  }
}

interface Launch {
  readonly step: StepOptions;
  readonly env: NodeJS.ProcessEnv;
}

function failed(
  node: string,
  { error, ms = 0, ready = 0 }: { error: ErrorReport; ms?: number; ready?: number },
): NodeResult {
  const outcome = ready > 0 ? "partial" : "failed";
  return { type: "result", node, outcome, ready, failed: 0, skipped: 0, ms, error };
}

/** Has the kernel end srun, and srun its job, when this process is killed. */
function guarded(
  argv: readonly [string, ...string[]],
  path: string | undefined,
): readonly [string, ...string[]] {
  const setpriv = findProgram("setpriv", path);
  return setpriv === undefined ? argv : [setpriv, "--pdeathsig", "TERM", ...argv];
}
