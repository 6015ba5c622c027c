import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { asStageError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { now } from "../../host/clock.js";
import { timeLeft } from "../deadline.js";
import { findHit } from "../hit.js";
import { checkOptions, checkRequest, type RequestOptions, type StageRequest } from "../request.js";
import type { LayerProgress, StageEvent, StageResult } from "../result.js";
import { BeyondBudget, BudgetKeeper } from "./budget-keeper.js";
import { stagingFrom } from "./from-pack.js";
import { ProgressTeller } from "./progress-teller.js";
import { isWorthRetrying, pauseBeforeRetry } from "./retry-rule.js";
import { sharingNodes } from "./sharing-nodes.js";
import type { WarmEvent } from "./warm-event.js";
import type { WarmedImage, WarmOptions, WarmReport } from "./warm-options.js";
import { isReady } from "./warm-status.js";

/**
 * Stages a list of images on this node. One that fails keeps none of the others from being staged;
 * the report says which did.
 * @param images references, as on the command line, those first that matter most; one that is named
 * twice is staged once
 * @throws StageError USAGE, CONFIG for options that no image could be staged with; what
 * `options.signal` was aborted with
 */
export async function warmImages(
  images: readonly string[],
  options: WarmOptions = {},
): Promise<WarmReport> {
  return await new WarmRun(options).execute([...new Set(images)]);
}

/** One image, tried for the first time or again. */
interface Try {
  readonly image: string;
  /** From 1. */
  readonly attempt: number;
  /** How it failed before. */
  readonly last?: WarmedImage;
}

class WarmRun {
  readonly #options: WarmOptions;
  readonly #checked: RequestOptions;
  readonly #node = process.env["SLURMD_NODENAME"] || hostname();
  readonly #ends = new Map<string, WarmedImage>();
  readonly #budget: BudgetKeeper | undefined;

  constructor(options: WarmOptions) {
    this.#options = { ...options, lease: options.lease ?? "none" };
    const { retry = 0, budget } = options;
    checkCount(retry, "number of tries");
    if (budget !== undefined) {
      checkCount(budget, "budget");
      this.#budget = new BudgetKeeper(budget);
    }
    this.#checked = checkOptions(this.#stageOptions(() => undefined));
  }

  async execute(images: readonly string[]): Promise<WarmReport> {
    const { cacheDirectory, startedAt } = this.#checked;
    const node = this.#node;
    this.#tell({
      type: "node",
      node,
      cacheDirectory,
      sharedWith: sharingNodes(this.#checked, { node }),
    });
    if (this.#budget) this.#countStanding(images, this.#budget);
    let left: readonly Try[] = images.map((image) => ({ image, attempt: 1 }));
    for (let failures = 1; left.length > 0; failures++) {
      left = await this.#round(left);
      if (left.length > 0) await this.#pause(failures);
    }
    const ends = images.flatMap((image) => this.#ends.get(image) ?? []);
    const ready = ends.filter(isReady).length;
    const skipped = ends.filter(({ state }) => state === "skipped").length;
    const ms = Math.round(now() - startedAt);
    const failed = ends.length - ready - skipped;
    this.#tell({ type: "end", node, ready, failed, skipped, ms });
    return { schemaVersion: 1, node, cacheDirectory, images: ends, ms };
  }

  /** @returns what is to be tried again */
  async #round(tries: readonly Try[]): Promise<readonly Try[]> {
    const inTurn = pLimit(sideBySide(this.#options));
    const outcomes = await Promise.allSettled(tries.map((one) => inTurn(() => this.#turn(one))));
    return outcomes.flatMap((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value ?? [];
    });
  }

  /** @returns the next try, if there is to be one */
  async #turn(one: Try): Promise<Try | undefined> {
    const end = await this.#try(one);
    if (end.state !== "failed" || !this.#isForAnother(one, end.error)) {
      this.#settle(end);
      return undefined;
    }
    const next: Try = { image: one.image, attempt: one.attempt + 1, last: end };
    this.#tellOf(next, { state: "retrying", layers: null, error: end.error.toReport() });
    return next;
  }

  /** What stands takes its part, wherever in the list it is named. */
  #countStanding(images: readonly string[], budget: BudgetKeeper): void {
    for (const image of images) {
      try {
        const hit = findHit(
          checkRequest(
            image,
            this.#stageOptions(() => undefined),
          ),
        );
        if (hit) budget.isReady(image, hit);
      } catch {
        // It fails again when its turn comes.
      }
    }
  }

  #isForAnother({ attempt }: Try, error: StageError): boolean {
    const { retry = 0 } = this.#options;
    return attempt <= retry && isWorthRetrying(error) && !this.#isLate();
  }

  async #try(one: Try): Promise<WarmedImage> {
    const { image, last } = one;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const teller = new ProgressTeller<Progress>((progress) => this.#tellOf(one, progress));
    let request: StageRequest | undefined;
    try {
      request = this.#requestFor(image, teller);
      const { from } = this.#options;
      const staging = stagingFrom(request, {
        from,
        onFallBack: (error) => {
          const again = { state: "retrying", layers: null, error: error.toReport() } as const;
          this.#tellOf({ image, attempt: one.attempt + 1 }, again);
        },
      });
      const hit = findHit(staging.request);
      if (!hit && this.#isLate()) return last ?? this.#notReached(image);
      if (!hit) this.#tellOf(one, { state: "staging", layers: null, error: null });
      const result = await staging.stage();
      this.#budget?.isReady(image, result);
      return { image, state: result.hit ? "hit" : "staged", result };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof BeyondBudget) return { image, state: "skipped", error };
      if (request) this.#budget?.hasFailed(request);
      // That there was no time for yet another try explains less.
      if (last && this.#isLate()) return last;
      return { image, state: "failed", error: asStageError(error) };
    } finally {
      teller.close();
    }
  }

  #requestFor(image: string, teller: ProgressTeller<Progress>): StageRequest {
    const onEvent = (event: StageEvent) => {
      if (event.type === "assembling") return;
      // Images that are staged side by side wait for each other's layers.
      if (event.type === "waiting" && event.pid === process.pid) return;
      const state = event.type === "layer" ? "staging" : "waiting";
      teller.tell({ state, layers: event.layers, error: null });
    };
    const { endsAt } = this.#checked;
    const request = checkRequest(image, this.#stageOptions(onEvent));
    return { ...request, endsAt, admit: this.#budget?.admit, keptKeys: () => this.#readyKeys() };
  }

  #stageOptions(onEvent: (event: StageEvent) => void) {
    return { ...this.#options, onEvent };
  }

  /** What room must not be made of: it would be staged in vain. */
  #readyKeys(): readonly string[] {
    return [...this.#ends.values()].flatMap((end) => (isReady(end) ? [end.result.key] : []));
  }

  #isLate(): boolean {
    return (timeLeft(this.#checked) ?? 1) <= 0;
  }

  #notReached(image: string): WarmedImage {
    const { deadline } = this.#options;
    const message = `${printable(image)} was not begun within ${deadline} s`;
    const error = new StageError("BUSY", message, {
      hint: "try again, or allow more with --deadline SECONDS",
    });
    return { image, state: "skipped", error };
  }

  async #pause(failures: number): Promise<void> {
    const { signal } = this.#options;
    const pause = pauseBeforeRetry(failures, { random: Math.random() });
    const ms = Math.max(0, Math.min(pause, timeLeft(this.#checked) ?? pause));
    await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
  }

  #settle(end: WarmedImage): void {
    this.#ends.set(end.image, end);
    const { image } = end;
    const node = this.#node;
    if (!isReady(end)) {
      this.#tell({ type: "image", node, image, state: end.state, error: end.error.toReport() });
      return;
    }
    const { state, result } = end;
    const { key, rootfs, timings, bytes } = result;
    const ms = Math.round(timings.totalMs);
    const sizes = { unpackedSize: unpackedSize(result), fetched: bytes.fetched };
    this.#tell({ type: "image", node, image, state, key, rootfs, ...sizes, ms });
  }

  #tellOf({ image, attempt }: Try, progress: Progress): void {
    this.#tell({ type: "image", node: this.#node, image, attempt, ...progress });
  }

  #tell(event: WarmEvent): void {
    this.#options.onEvent?.(event);
  }
}

/**
 * How many images are staged side by side: one is fetched, or linked together, while the other is
 * unpacked. Not so where nothing is to wait for long, not even for this process, or where each has to
 * know what those before it take.
 */
function sideBySide({ wait, budget, jobs }: WarmOptions): number {
  return wait === undefined && budget === undefined && jobs !== 1 ? 2 : 1;
}

function checkCount(count: number, what: string): void {
  if (Number.isSafeInteger(count) && count >= 0) return;
  throw new StageError("USAGE", `${count} is no ${what}`, { hint: "give a whole number" });
}

interface Progress {
  readonly state: "staging" | "waiting" | "retrying";
  readonly layers: LayerProgress | null;
  readonly error: ReturnType<StageError["toReport"]> | null;
}

/** Of all layers, each counted once. */
function unpackedSize({ layers }: StageResult): number {
  const sizes = new Map(layers.map(({ diffId, unpackedSize }) => [diffId, unpackedSize]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
