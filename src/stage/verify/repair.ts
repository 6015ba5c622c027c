import { layersOf } from "../../cache/removal/inventory.js";
import { removeEntry } from "../../cache/removal/remove-entry.js";
import { removeLayer } from "../../cache/removal/remove-layer.js";
import { errnoOf, StageError } from "../../errors.js";
import { doubtfulKinds } from "../../host/file-system-kind.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { stageRootfs } from "../../stage.js";
import { inspectImage } from "../inspect.js";
import type { OpenCache } from "../manage/open-cache.js";
import type { StageOptions } from "../request.js";
import { layerNamesOf } from "../sources/layer-names.js";
import type { StagedImage } from "../staged-image.js";
import type { RepairFailure, RepairOutcome, VerifyEvent } from "./result.js";
import { sourceReference } from "./source-reference.js";

/** An entry that is damaged, or has a damaged layer. */
export interface Damage {
  readonly key: string;
  /** Undefined where too little is left of it to say. */
  readonly details: StagedImage | undefined;
}

export interface RepairOptions {
  readonly wait: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onEvent: ((event: VerifyEvent) => void) | undefined;
}

/**
 * Removes what is damaged and stages it again. What somebody has a lease on is left as it is; but a
 * layer's tree is nobody's path, and goes in any case, so that nothing new is made of it. What can't
 * be removed keeps nothing else from it.
 */
export class Repair {
  readonly #cache: OpenCache;
  readonly #options: RepairOptions;
  /** What could not be done, in the order of the attempts. */
  readonly failures: RepairFailure[] = [];

  constructor(cache: OpenCache, options: RepairOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  /** @returns what became of each entry, by its key */
  async run(
    damage: readonly Damage[],
    layers: readonly string[],
  ): Promise<ReadonlyMap<string, RepairOutcome>> {
    const { layout } = this.#cache;
    const outcomes = new Map<string, RepairOutcome>();
    const removed: Damage[] = [];
    for (const damaged of damage) {
      const { key } = damaged;
      const outcome = await this.#trying("rootfs", key, async () => {
        return await removeEntry(layout, key, { ...this.#options, now: Date.now() });
      });
      if (outcome === "leased" || outcome === "busy") outcomes.set(key, outcome);
      // Of what was moved aside, a part may be left that is in nobody's way.
      else if (lstatIfAny(layout.entry(key))) outcomes.set(key, "stuck");
      else removed.push(damaged);
    }
    for (const name of layers) {
      await this.#trying("layer", name, async () => await this.#removeLayer(name));
    }
    const stuck = new Set(layers.filter((name) => lstatIfAny(layout.layer(name))));
    for (const { key, details } of removed) {
      const isSound = details && !layerNamesOf(key, details).some((name) => stuck.has(name));
      const isRestaged =
        isSound &&
        (await this.#trying("rootfs", key, async () => await this.#restage(key, details)));
      outcomes.set(key, isRestaged ? "restaged" : "dropped");
    }
    return outcomes;
  }

  /** @returns undefined where it failed, which is noted */
  async #trying<Value>(
    where: RepairFailure["in"],
    name: string,
    work: () => Promise<Value>,
  ): Promise<Value | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const isExpected = error instanceof StageError || errnoOf(error) !== undefined;
      if (!(isExpected && error instanceof Error)) throw error;
      this.failures.push({ in: where, name, message: error.message });
      return undefined;
    }
  }

  async #removeLayer(name: string): Promise<void> {
    const { layout } = this.#cache;
    const outcome = await removeLayer(layout, name, {
      ...this.#options,
      now: Date.now(),
      grace: 0,
      isNeeded: () => false,
    });
    if (outcome === "removed" || outcome === "missing") return;
    if (![...layersOf(layout)].some((layer) => layer.name === name)) return;
    throw new StageError("BUSY", `a staging that is under way uses the damaged layer ${name}`, {
      hint: "try again when it has ended",
    });
  }

  /** @returns whether the entry stands anew */
  async #restage(key: string, details: StagedImage): Promise<boolean> {
    const { source, imageId } = details;
    const reference = source && sourceReference(source);
    if (reference === undefined) return false;
    const { signal, onEvent } = this.#options;
    const options = {
      ...stagingOf(key, details),
      cacheDir: this.#cache.directory,
      // Where the cache may be was said when it was made.
      allowDisks: doubtfulKinds,
      signal,
    };
    onEvent?.({ type: "repairing", key, source: reference });
    try {
      // The source may have another image by now, which nobody has asked for.
      if ((await inspectImage(reference, options)).imageId !== imageId) return false;
      return (await stageRootfs(reference, options)).key === key;
    } catch (error) {
      signal?.throwIfAborted();
      // Of a source that is gone or can't be reached, that it was dropped says enough.
      if (error instanceof StageError && sourceFailures.has(error.code)) return false;
      throw error;
    }
  }
}

const sourceFailures: ReadonlySet<string> = new Set([
  "NOT_FOUND",
  "REGISTRY",
  "AUTH",
  "PERMISSION",
  "REFERENCE_AMBIGUOUS",
  "IMAGE_INVALID",
  "IMAGE_UNSUPPORTED",
  "DIGEST_MISMATCH",
]);

/** The options that an entry was staged with, as far as its tree depends on them. */
function stagingOf(key: string, { imageId, platform, mountPoints }: StagedImage): StageOptions {
  const tags = key.slice(imageId.length).split("-");
  const owner = tags.includes("squash") ? "squash" : tags.includes("image") ? "image" : undefined;
  return {
    platform,
    owner,
    keepSetuid: tags.includes("setuid"),
    mounts: mountPoints.map(({ target, kind }) => ({ target, kind })),
    lease: "none",
  };
}
