import { createHash } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, fromSystemError } from "../../errors.js";
import type { Room } from "../../host/disk-room.js";
import { formatIdentity, ownIdentity } from "../../host/process-identity.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "../removal/abandoned.js";
import { isAbandoned } from "../work-directory.js";

/**
 * Room on the cache's disk that a staging is going to take, for others to see: an empty file in
 * tmp/ whose name says it all. That begins with the process's identity, as the names of work
 * directories do, so what a dead process has reserved counts no more, and is swept.
 */
export interface Reservation {
  /** A word for what the room is for: the same for the same layer, whoever unpacks it. */
  readonly purpose: string;
  /**
   * When it was made, in milliseconds since 1970, or a little later where others were seen then that
   * seemed to come later. {@link undecided} until all that a staging reserves can be seen.
   */
  readonly since: number;
  readonly room: Room;
  /** The file's name. */
  readonly name: string;
}

/** The reservations of one staging, and its view of those of others. */
export class Reservations {
  readonly #layout: CacheLayout;
  readonly #own = new Map<string, Reservation>();
  readonly #word: string;
  /** When all of them could be seen: whoever looked before that has not heeded this staging. */
  #since: number | undefined;

  constructor(layout: CacheLayout) {
    this.#layout = layout;
    this.#word = (count++).toString(36);
  }

  /**
   * Reserves room for things, or changes how much of it is reserved. On a disk too full for that,
   * nothing is reserved: the staging ends there soon enough.
   * @throws StageError NOT_WRITABLE, PERMISSION
   */
  set(rooms: Iterable<readonly [what: string, room: Room]>): void {
    const wanted = new Map([...rooms].map(([what, room]) => [purposeOf(what), room]));
    for (const [purpose, room] of wanted) this.#write(purpose, room);
    if (this.#since !== undefined || this.#own.size === 0) return;
    // Whoever looks from now on heeds all of it. So only those who are in the list may not have.
    const earlier = this.ofOthers().map(({ since }) => since);
    this.#since = Math.max(Date.now(), ...earlier.map((since) => since + 1));
    for (const [purpose, { room }] of [...this.#own]) this.#write(purpose, room);
  }

  #write(purpose: string, room: Room): void {
    const made = { purpose, since: this.#since ?? undecided, room };
    const name = formatName(made, this.#word);
    const before = this.#own.get(purpose);
    if (before?.name === name) return;
    try {
      if (before) renameSync(this.#path(before), this.#path({ name }));
      else closeSync(openSync(this.#path({ name }), "wx", 0o600));
      this.#own.set(purpose, { ...made, name });
    } catch (error) {
      if (!dispensable.has(errnoOf(error))) {
        throw fromSystemError(error, `write ${this.#path({ name })}`);
      }
    }
  }

  drop(what: string): void {
    const purpose = purposeOf(what);
    const own = this.#own.get(purpose);
    this.#own.delete(purpose);
    if (own) rmSync(this.#path(own), { force: true });
  }

  /** Gives up all of them. */
  dropAll(): void {
    for (const own of this.#own.values()) rmSync(this.#path(own), { force: true });
    this.#own.clear();
  }

  /** What other stagings that live have reserved. */
  ofOthers(): readonly Reservation[] {
    const own = new Set([...this.#own.values()].map(({ name }) => name));
    return namesIn(this.#layout.tmp).flatMap((name) => {
      const found = parseName(name);
      return found && !own.has(name) && !isAbandoned(this.#layout, name) ? [found] : [];
    });
  }

  /** What something still takes: less where another staging is ahead with the same. */
  unlessAhead(
    what: string,
    { room, others }: { room: Room; others: readonly Reservation[] },
  ): Room {
    const purpose = purposeOf(what);
    const same = others.filter((other) => other.purpose === purpose).map((other) => other.room);
    return {
      bytes: Math.min(room.bytes, ...same.map(({ bytes }) => bytes)),
      inodes: Math.min(room.inodes, ...same.map(({ inodes }) => inodes)),
    };
  }

  /**
   * What of the others' reservations this staging has to leave alone: what was reserved before it
   * began, or is being reserved right now, for something else than its own. Whoever comes later makes
   * way, so of two that begin at once and don't fit together, one goes ahead: each can be seen before
   * it takes its number, and looks when it has it (Lamport's bakery).
   */
  before(others: readonly Reservation[]): readonly Room[] {
    const ofEach = new Map<string, Room>();
    for (const other of others) {
      const { purpose, room } = other;
      if (!this.#isBefore(other) || this.#own.has(purpose)) continue;
      const known = ofEach.get(purpose);
      // Several may want the same; one will do it, and the one that needs less is at it.
      if (!known || room.bytes < known.bytes) ofEach.set(purpose, room);
    }
    return [...ofEach.values()];
  }

  #isBefore({ since, name }: Reservation): boolean {
    const [own] = this.#own.values();
    const ownSince = this.#since ?? Number.POSITIVE_INFINITY;
    return since === ownSince ? name < (own?.name ?? "") : since < ownSince;
  }

  #path({ name }: Pick<Reservation, "name">): string {
    return join(this.#layout.tmp, name);
  }
}

/** Before all times: who looks meanwhile takes it for one that is ahead, and looks again. */
const undecided = 0;

/** Tells the stagings of one process apart. */
let count = 0;

/** A full disk, and a cache that somebody is deleting. */
const dispensable: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "ENOENT"]);

function purposeOf(what: string): string {
  return createHash("sha256").update(what).digest("hex").slice(0, 16);
}

function formatName({ purpose, since, room }: Omit<Reservation, "name">, word: string): string {
  const numbers = [since, Math.ceil(room.bytes), Math.ceil(room.inodes)];
  const words = numbers.map((number) => number.toString(36));
  return `${formatIdentity(ownIdentity())},room-${[purpose, ...words, word].join("-")}`;
}

function parseName(name: string): Reservation | undefined {
  const match = /,room-([0-9a-f]{16})-([0-9a-z]+)-([0-9a-z]+)-([0-9a-z]+)-[0-9a-z]+$/.exec(name);
  const [, purpose = "", since = "", bytes = "", inodes = ""] = match ?? [];
  if (!match) return undefined;
  const number = (word: string) => Number.parseInt(word, 36);
  const room = { bytes: number(bytes), inodes: number(inodes) };
  return { purpose, since: number(since), room, name };
}
