import type { CacheLayout } from "../../cache/layout.js";
import { type GcGoals, type GcPlan, planGc } from "../../cache/removal/gc-plan.js";
import { entryAt } from "../../cache/removal/inventory.js";
import { NeededLayers } from "../../cache/removal/needed-layers.js";
import { removeEntry } from "../../cache/removal/remove-entry.js";
import { removeLayer } from "../../cache/removal/remove-layer.js";
import { StageError } from "../../errors.js";
import { isNone, noRoom, type Room, sumOf, without } from "../../host/disk-room.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { layerNamesOf } from "../sources/layer-names.js";
import { isStagedImage } from "../staged-image.js";
import { type GcInventory, type InventoryOptions, takeInventory, totalOf } from "./gc-inventory.js";
import type { RemovedEntry } from "./gc-options.js";

export interface GcRunOptions extends Omit<InventoryOptions, "now" | "obstacles"> {
  readonly goals: GcGoals;
  /** Where not even so much can be freed, nothing is. Default: no such bound. */
  readonly atLeast?: Room | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a run has done. */
export interface GcOutcome {
  readonly entries: readonly RemovedEntry[];
  readonly layers: readonly string[];
  readonly freed: Room;
  readonly size: Room;
  readonly stay: GcPlan["stay"];
  readonly unmet: GcPlan["unmet"];
  /** What could not be removed, or not wholly, and why. */
  readonly warnings: readonly string[];
}

/** How often to plan anew when something was in use that had not been before. */
const mostRounds = 5;

/** Removes entries and layers until goals are reached, or says what that would remove. */
export class GcRun {
  readonly #layout: CacheLayout;
  readonly #options: GcRunOptions;
  readonly #needed: NeededLayers<Parameters<typeof layerNamesOf>[1]>;
  readonly #obstacles = new Map<string, string>();
  readonly #entries: RemovedEntry[] = [];
  readonly #layers: string[] = [];
  readonly #warnings: string[] = [];
  /** Layers that can't be removed. */
  readonly #stuckLayers = new Set<string>();
  #freed = noRoom;

  constructor(layout: CacheLayout, options: GcRunOptions) {
    this.#layout = layout;
    this.#options = options;
    this.#needed = new NeededLayers(layout, { isDetails: isStagedImage, namesOf: layerNamesOf });
  }

  /** What would go. */
  preview(): GcOutcome {
    const { inventory, plan } = this.#plan();
    const entries = plan.entries.map((removal) => describe(removal, inventory));
    const { layers, frees: freed, size, stay, unmet } = plan;
    return { entries, layers, freed, size, stay, unmet, warnings: [] };
  }

  /** @throws StageError NOT_WRITABLE, NO_SPACE; what the signal was aborted with */
  async execute(): Promise<GcOutcome> {
    const first = this.#plan();
    let { inventory, plan } = first;
    for (let round = 0; round < mostRounds; round++) {
      if (this.#isTooLittle(plan)) break;
      const obstacles = this.#obstacles.size + this.#stuckLayers.size;
      await this.#carryOut(plan, inventory);
      if (this.#obstacles.size + this.#stuckLayers.size === obstacles) break;
      ({ inventory, plan } = this.#plan());
    }
    const { stay, unmet } = plan;
    const freed = this.#freed;
    const size = without(totalOf(first.inventory), freed);
    const done = { entries: this.#entries, layers: this.#layers, warnings: this.#warnings };
    return { ...done, freed, size, stay, unmet };
  }

  #isTooLittle({ frees }: GcPlan): boolean {
    const { atLeast = noRoom } = this.#options;
    return !isNone(without(without(atLeast, this.#freed), frees));
  }

  #plan(): { inventory: GcInventory; plan: GcPlan } {
    const now = Date.now();
    const wantedLayers = new Set([...(this.#options.wantedLayers ?? []), ...this.#stuckLayers]);
    const options = { ...this.#options, now, obstacles: this.#obstacles, wantedLayers };
    const inventory = takeInventory(this.#layout, options);
    const { goals } = this.#options;
    // What was freed in an earlier round, the disk may not have noticed yet.
    const toFree = goals.toFree && without(goals.toFree, this.#freed);
    return { inventory, plan: planGc({ ...inventory, goals: { ...goals, toFree }, now }) };
  }

  async #carryOut(plan: GcPlan, inventory: GcInventory): Promise<void> {
    const entries = new Map(inventory.entries.map((entry) => [entry.key, entry]));
    const leaving = new Set(plan.layers);
    for (const removal of plan.entries) {
      const entry = entries.get(removal.key);
      if (!entry || !(await this.#removeEntry(entry))) continue;
      this.#entries.push(describe(removal, inventory));
      this.#freed = sumOf([this.#freed, entry.own]);
      // At once, so that whoever kills this has the room that its entry took.
      for (const name of entry.layers.filter((layer) => leaving.delete(layer))) {
        if (this.#needed.isNeeded(name)) leaving.add(name);
        else await this.#removeLayer(name, { inventory, grace: 0 });
      }
    }
    for (const name of leaving) await this.#removeLayer(name, { inventory, grace: undefined });
  }

  async #removeEntry({ key, lastUse }: { key: string; lastUse: number }): Promise<boolean> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const found = entryAt(this.#layout, { key, isDetails: isStagedImage });
    if (!found) return false;
    if (found.lastUse > lastUse) return this.#meet(key, "used just now");
    try {
      const outcome = await removeEntry(this.#layout, key, { now: Date.now(), signal });
      if (outcome === "leased") return this.#meet(key, "leased just now");
      if (outcome === "busy") return this.#meet(key, "being staged");
      return outcome === "removed";
    } catch (error) {
      const reason = this.#warn(error);
      return lstatIfAny(this.#layout.entry(key)) ? this.#meet(key, reason) : true;
    }
  }

  /**
   * Notes what can't be removed, such as a file that somebody made immutable: others go all the
   * same. What was moved aside is gone for all others, and left for the next sweep.
   * @throws any other error
   */
  #warn(error: unknown): string {
    if (!(error instanceof StageError && error.code === "PERMISSION")) throw error;
    this.#warnings.push(error.message);
    return error.message;
  }

  #meet(key: string, why: string): false {
    this.#obstacles.set(key, why);
    return false;
  }

  async #removeLayer(
    name: string,
    { inventory, grace }: { inventory: GcInventory; grace: number | undefined },
  ): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const isNeeded = () => this.#needed.isNeeded(name);
    try {
      const options = { now: Date.now(), isNeeded, grace, signal };
      if ((await removeLayer(this.#layout, name, options)) !== "removed") return;
    } catch (error) {
      this.#warn(error);
      if (lstatIfAny(this.#layout.layer(name))) {
        this.#stuckLayers.add(name);
        return;
      }
    }
    const layer = inventory.layers.find((each) => each.name === name);
    this.#layers.push(name);
    this.#freed = sumOf([this.#freed, layer?.size ?? noRoom]);
  }
}

function describe(
  { key, reason, frees }: GcPlan["entries"][number],
  { entries }: GcInventory,
): RemovedEntry {
  const entry = entries.find((each) => each.key === key);
  if (!entry) throw new TypeError(`${key} was planned to go, but is not there`);
  return { key, imageId: entry.imageId, reason, lastUse: entry.lastUse, ...frees };
}
