import type { Room } from "../../host/disk-room.js";
import { gcRank, type Origin } from "./gc-rank.js";
import { Sharing } from "./gc-sharing.js";

/** An entry, as far as it matters for whether it goes. */
export interface GcEntry {
  readonly key: string;
  /** What it takes beside its layers. */
  readonly own: Room;
  /** Names of its layers. */
  readonly layers: readonly string[];
  /** In milliseconds since 1970. */
  readonly lastUse: number;
  readonly origin: Origin;
  /** Why it must stay, whatever the goals: `leased by job-4711`. */
  readonly protection?: string | undefined;
}

export interface GcLayer {
  readonly name: string;
  readonly size: Room;
  /** Whether somebody may be putting an entry together of it just now: it stays. */
  readonly isInUse: boolean;
  /** Whether it was made or used so lately that it stays for an entry to come, if none needs it. */
  readonly isFresh: boolean;
}

/** What is to be reached. Without any, only layers go that no entry needs. */
export interface GcGoals {
  /** What the cache may take, in bytes. */
  readonly maxSize?: number | undefined;
  /** What has to be freed on the disk. */
  readonly toFree?: Room | undefined;
  /** How long an entry stays that nobody uses, in milliseconds. */
  readonly maxAge?: number | undefined;
  /**
   * How many entries stay whatever the other goals are, those used last. As the only goal, it has
   * all others go.
   */
  readonly keepLast?: number | undefined;
}

export interface GcInputs {
  readonly entries: readonly GcEntry[];
  readonly layers: readonly GcLayer[];
  /** What else the cache holds, which stays: blobs under way. */
  readonly rest: Room;
  readonly goals: GcGoals;
  /** In milliseconds since 1970. */
  readonly now: number;
}

export type GcReason = "max-age" | "keep-last" | "max-size" | "room";

export interface EntryRemoval {
  readonly key: string;
  readonly reason: GcReason;
  /** What goes with it, the layers included that nothing else needs. */
  readonly frees: Room;
}

/** A goal that is missed, in bytes or inodes. */
export interface UnmetGoal {
  readonly goal: "max-size" | "room" | "room-inodes";
  readonly wanted: number;
  readonly reached: number;
}

export interface GcPlan {
  /** In the order in which they go. */
  readonly entries: readonly EntryRemoval[];
  /** Names of the layers that go, those that no entry needed before first. */
  readonly layers: readonly string[];
  readonly frees: Room;
  /** What the cache takes then. */
  readonly size: Room;
  /** Entries that stay although a goal asks for them to go, and why. */
  readonly stay: readonly { readonly key: string; readonly why: string }[];
  readonly unmet: readonly UnmetGoal[];
}

/** Says what goes so that the goals are reached, if they can be, and no more than that. */
export function planGc(inputs: GcInputs): GcPlan {
  const { entries, goals, now } = inputs;
  const sharing = new Sharing(inputs);
  const removals: EntryRemoval[] = [];
  const candidates = new Map(entries.map((entry) => [entry.key, entry]));
  const kept = lastUsed(entries, goals.keepLast ?? 0);
  const stays = (entry: GcEntry) =>
    entry.protection ?? (kept.has(entry.key) ? "one of the last used" : undefined);
  const remove = (entry: GcEntry, reason: GcReason) => {
    candidates.delete(entry.key);
    removals.push({ key: entry.key, reason, frees: sharing.remove(entry) });
  };
  const wanted = new Map<string, string>();
  const ask = (entry: GcEntry, reason: GcReason) => {
    const why = stays(entry);
    if (why === undefined) remove(entry, reason);
    else wanted.set(entry.key, why);
  };
  for (const entry of byIdleness(entries)) {
    const isOld = goals.maxAge !== undefined && now - entry.lastUse > goals.maxAge;
    if (isOld) ask(entry, "max-age");
    else if (isCountTheOnlyGoal(goals) && !kept.has(entry.key)) ask(entry, "keep-last");
  }
  const free = [...candidates.values()].filter((entry) => stays(entry) === undefined);
  const ranked = new Ranking(free, { sharing, now });
  for (;;) {
    const [missed] = missedGoals(inputs, sharing);
    const next = missed && ranked.takeHighest();
    if (!next) break;
    remove(next, missed.goal === "max-size" ? "max-size" : "room");
  }
  const unmet = missedGoals(inputs, sharing);
  if (unmet.length > 0) {
    for (const entry of candidates.values()) wanted.set(entry.key, stays(entry) ?? "");
  }
  return {
    entries: removals,
    layers: sharing.unneeded,
    frees: sharing.freed,
    size: sharing.left,
    stay: [...wanted].map(([key, why]) => ({ key, why })),
    unmet,
  };
}

function missedGoals({ goals }: GcInputs, { left, freed }: Sharing): readonly UnmetGoal[] {
  const { maxSize, toFree } = goals;
  const missed: UnmetGoal[] = [];
  if (maxSize !== undefined && left.bytes > maxSize) {
    missed.push({ goal: "max-size", wanted: maxSize, reached: left.bytes });
  }
  if (toFree && freed.bytes < toFree.bytes) {
    missed.push({ goal: "room", wanted: toFree.bytes, reached: freed.bytes });
  }
  if (toFree && freed.inodes < toFree.inodes) {
    missed.push({ goal: "room-inodes", wanted: toFree.inodes, reached: freed.inodes });
  }
  return missed;
}

function isCountTheOnlyGoal({ keepLast, maxSize, toFree, maxAge }: GcGoals): boolean {
  return keepLast !== undefined && [maxSize, toFree, maxAge].every((goal) => goal === undefined);
}

function lastUsed(entries: readonly GcEntry[], count: number): ReadonlySet<string> {
  const recent = byIdleness(entries).reverse().slice(0, count);
  return new Set(recent.map(({ key }) => key));
}

/** The least recently used first. */
function byIdleness(entries: readonly GcEntry[]): GcEntry[] {
  return [...entries].sort((a, b) => a.lastUse - b.lastUse || (a.key < b.key ? -1 : 1));
}

/** Entries by rank, which changes for those that share layers with one that went. */
class Ranking {
  readonly #candidates: Map<GcEntry, number>;
  readonly #options: { readonly sharing: Sharing; readonly now: number };

  constructor(entries: readonly GcEntry[], options: { sharing: Sharing; now: number }) {
    this.#options = options;
    this.#candidates = new Map(entries.map((entry) => [entry, this.#rankOf(entry)]));
  }

  takeHighest(): GcEntry | undefined {
    let highest: GcEntry | undefined;
    let rank = Number.NEGATIVE_INFINITY;
    for (const changed of this.#options.sharing.takeChanged()) {
      if (this.#candidates.has(changed)) this.#candidates.set(changed, this.#rankOf(changed));
    }
    for (const [entry, own] of this.#candidates) {
      if (own <= rank) continue;
      highest = entry;
      rank = own;
    }
    if (highest) this.#candidates.delete(highest);
    return highest;
  }

  #rankOf(entry: GcEntry): number {
    const { sharing, now } = this.#options;
    const { origin, lastUse } = entry;
    return gcRank({ idle: now - lastUse, share: sharing.shareOf(entry), origin });
  }
}
