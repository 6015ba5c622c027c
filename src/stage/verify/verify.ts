import { lockOrAdopt } from "../../cache/locks/lock.js";
import { namesIn } from "../../cache/removal/abandoned.js";
import { entriesOf, layersOf } from "../../cache/removal/inventory.js";
import { entryLock } from "../../cache/rootfs-store.js";
import { fromSystemError, StageError } from "../../errors.js";
import type { TreeFinding } from "../../extract/check/finding.js";
import { InodeBook } from "../../extract/check/inode-book.js";
import { startWorkers } from "../../extract/workers.js";
import { displayPath, printable } from "../../host/byte-string.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { usableProcessors } from "../../host/processors.js";
import { findEntries } from "../manage/find-entries.js";
import { type CacheOptions, type OpenCache, openCache } from "../manage/open-cache.js";
import { checkJobs } from "../request.js";
import { isStagedImage } from "../staged-image.js";
import { type Attention, CacheCheck, type EntryCheck, type LayerCheck } from "./cache-check.js";
import { type Damage, Repair } from "./repair.js";
import type {
  Checked,
  Finding,
  RepairFailure,
  Verification,
  VerifiedEntry,
  VerifiedLayer,
  VerifyEvent,
} from "./result.js";
import { newSample, SampleChoice } from "./sample-choice.js";

export interface VerifyOptions extends CacheOptions {
  /** Keys, paths or references. */
  readonly images?: readonly string[] | undefined;
  /** Whether to check all that the cache has. Default: false. */
  readonly all?: boolean | undefined;
  /** How many of a hundred files to read, chosen by chance. Default: all. */
  readonly sample?: number | undefined;
  /** Chooses the same files as a check before. Default: another one each time. */
  readonly seed?: number | undefined;
  /**
   * How long to wait for whoever changes an entry that seems damaged, in seconds. Default: 60.
   */
  readonly wait?: number | undefined;
  /**
   * Whether to remove what is damaged, and to stage it again where its source is known and still
   * has it. Default: false.
   */
  readonly repair?: boolean | undefined;
  /** How many files are read side by side. Default: one for each processor. */
  readonly jobs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: VerifyEvent) => void) | undefined;
}

/** How long somebody may change an entry before it is left alone, in seconds. */
const usualWait = 60;

const all: Attention = { inLayer: () => true, inRootfs: () => true };

/**
 * Compares what the cache has with what was put on record when it was staged: the content, mode,
 * owner and time of every file, where links lead, what is missing and what was added. Without
 * `repair` nothing is changed, and nobody has to wait.
 * @throws StageError USAGE, NOT_FOUND, REFERENCE_AMBIGUOUS, PERMISSION, CACHE_UNTRUSTED; what
 * `options.signal` was aborted with
 */
export async function verifyCache(options: VerifyOptions): Promise<Verification> {
  options.signal?.throwIfAborted();
  checkJobs(options.jobs);
  if (options.seed !== undefined && options.sample === undefined) {
    throw new StageError("USAGE", "a seed chooses a sample, and none was asked for", {
      hint: "give the share of the files too: --sample 5%",
    });
  }
  const cache = openCache(options);
  if (!cache.exists) {
    throw new StageError("NOT_FOUND", `there is no cache ${printable(cache.directory)}`);
  }
  try {
    return await new Verifying(cache, options).run(keysOf(cache, options));
  } catch (error) {
    throw fromSystemError(error, "verify the cache");
  }
}

function keysOf(cache: OpenCache, { images = [], all = false }: VerifyOptions): readonly string[] {
  const names = namesIn(cache.layout.entries);
  const keys = new Set(all ? names : []);
  const entries = [...entriesOf(cache.layout, { isDetails: isStagedImage })];
  for (const word of images) {
    // What is too damaged to be listed has a name at least.
    const found = names.includes(word)
      ? [word]
      : findEntries(word, { cache, entries }).map(({ key }) => key);
    for (const key of found) keys.add(key);
  }
  return [...keys].sort();
}

class Verifying {
  readonly #cache: OpenCache;
  readonly #options: VerifyOptions;
  readonly #checked: Checked = { paths: 0, files: 0, bytes: 0, unreadable: 0, withoutDigest: 0 };
  readonly #entries: VerifiedEntry[] = [];
  readonly #layers = new Map<string, VerifiedLayer>();
  readonly #findings: Finding[] = [];
  readonly #damage: Damage[] = [];
  #failures: readonly RepairFailure[] = [];

  constructor(cache: OpenCache, options: VerifyOptions) {
    this.#cache = cache;
    this.#options = options;
  }

  async run(keys: readonly string[]): Promise<Verification> {
    const { jobs, signal, onEvent } = this.#options;
    const sample = this.#sample();
    const atOnce = jobs ?? usableProcessors();
    const workers = startWorkers({ layers: atOnce });
    const stop = () => void workers.close();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const checked = this.#checked;
      const options = { workers, atOnce, checked, signal, onEvent };
      const choice = sample ? new SampleChoice(sample) : undefined;
      const check = new CacheCheck(this.#cache.layout, { ...options, choice });
      // What seemed damaged is looked at in any case.
      const again = new CacheCheck(this.#cache.layout, {
        ...options,
        choice: undefined,
        checked: { ...checked },
        onEvent: undefined,
      });
      for (const key of keys) await this.#entry(key, { check, again });
      if (this.#options.all) await this.#otherLayers(check);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      await workers.close();
    }
    const intact = this.#findings.length === 0;
    const entries = this.#options.repair && !intact ? await this.#repair() : this.#entries;
    return {
      schemaVersion: 1,
      intact,
      repaired: !intact && this.#failures.length === 0 && entries.every(isRepaired),
      entries,
      layers: [...this.#layers.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      findings: this.#findings,
      failures: this.#failures,
      checked: this.#checked,
      sample,
    };
  }

  async #repair(): Promise<readonly VerifiedEntry[]> {
    const damagedLayers = [...this.#layers.values()].filter(({ state }) => state === "damaged");
    const { wait, signal, onEvent } = this.#options;
    const repair = new Repair(this.#cache, { wait, signal, onEvent });
    const outcomes = await repair.run(
      this.#damage,
      damagedLayers.map(({ name }) => name),
    );
    this.#failures = repair.failures;
    return this.#entries.map((entry) => ({ ...entry, repair: outcomes.get(entry.key) ?? null }));
  }

  #sample() {
    const { sample, seed } = this.#options;
    if (sample === undefined) return null;
    if (!(sample > 0 && sample <= 100)) {
      throw new StageError("USAGE", `${sample} is no share of a hundred`, {
        hint: "give more than 0 and at most 100",
      });
    }
    return { ...newSample(sample), ...(seed !== undefined && { seed }) };
  }

  async #entry(key: string, { check, again }: Checks): Promise<void> {
    const first = await check.entry(key, this.#unless(all));
    const found = first && isDamaged(first) ? await this.#underLock(key, { first, again }) : first;
    if (found === "busy" || !found) {
      const imageId = first?.details?.imageId ?? "";
      this.#entries.push({ key, imageId, state: found ?? "gone", repair: null });
      return;
    }
    for (const [name, layer] of found.layers) this.#noteLayer(name, layer);
    this.#note("rootfs", { name: key, findings: found.findings });
    const isIntact =
      found.findings.length === 0 &&
      [...found.layers.keys()].every((name) => this.#layers.get(name)?.state === "intact");
    if (!isIntact) this.#damage.push({ key, details: found.details });
    this.#entries.push({
      key,
      imageId: found.details?.imageId ?? "",
      state: isIntact ? "intact" : "damaged",
      repair: null,
    });
  }

  /** Layers of which all was said are only looked through, for what the rootfs has of them. */
  #unless(attention: Attention): Attention {
    return {
      ...attention,
      inLayer: (name, path) => !this.#layers.has(name) && attention.inLayer(name, path),
    };
  }

  /** Looks again while nobody changes the entry: mount points may have been added meanwhile. */
  async #underLock(
    key: string,
    { first, again }: { first: EntryCheck; again: CacheCheck },
  ): Promise<EntryCheck | undefined | "busy"> {
    const release = await this.#lock(key);
    if (release === "busy") return "busy";
    try {
      return await again.entry(key, attentionTo(first));
    } finally {
      await release();
    }
  }

  async #lock(key: string): Promise<(() => Promise<void>) | "busy"> {
    const { wait = usualWait, signal } = this.#options;
    try {
      const outcome = await lockOrAdopt(this.#cache.layout.lock(entryLock(key)), {
        what: `the entry ${key}`,
        wait,
        signal,
        adopt: () => undefined,
      });
      return outcome.kind === "locked" ? outcome.release : nothing;
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      if (error.code === "BUSY") return "busy";
      // In a cache that this user can't write to, nobody else of its kind can change anything.
      if (error.code === "NOT_WRITABLE" || error.code === "PERMISSION") return nothing;
      throw error;
    }
  }

  /** Those that no entry has. */
  async #otherLayers(check: CacheCheck): Promise<void> {
    const names = [...layersOf(this.#cache.layout)].map(({ name }) => name).sort();
    for (const name of names) {
      if (this.#layers.has(name)) continue;
      const found = await this.#standing(name, check);
      if (found) this.#noteLayer(name, found);
      else this.#layers.set(name, { name, state: "gone", digests: "missing" });
    }
  }

  /** Looks at a layer, and again at one that has taken its place; undefined when it is gone. */
  async #standing(name: string, check: CacheCheck): Promise<LayerCheck | undefined> {
    const path = this.#cache.layout.layer(name);
    for (;;) {
      const before = lstatIfAny(path)?.ino;
      const found = await check.layer(name, { book: new InodeBook(), attention: all });
      const after = lstatIfAny(path)?.ino;
      if (after === undefined) return undefined;
      if (after === before || found.findings.length === 0) return found;
    }
  }

  #noteLayer(name: string, { findings, digests }: LayerCheck): void {
    if (this.#layers.has(name)) return;
    this.#layers.set(name, { name, state: findings.length > 0 ? "damaged" : "intact", digests });
    this.#note("layer", { name, findings });
  }

  #note(
    where: Finding["in"],
    { name, findings }: { name: string; findings: readonly TreeFinding[] },
  ): void {
    for (const { code, path, message } of findings) {
      this.#findings.push({ code, in: where, name, path: displayPath(path), message });
    }
  }
}

function isRepaired({ state, repair }: VerifiedEntry): boolean {
  return state !== "damaged" || repair === "restaged" || repair === "dropped";
}

interface Checks {
  readonly check: CacheCheck;
  readonly again: CacheCheck;
}

async function nothing(): Promise<void> {}

function isDamaged({ findings, layers }: EntryCheck): boolean {
  return findings.length > 0 || [...layers.values()].some((layer) => layer.findings.length > 0);
}

/** To the content that differed. */
function attentionTo({ findings, layers }: EntryCheck): Attention {
  const inRootfs = pathsOf(findings);
  const inLayers = new Map([...layers].map(([name, layer]) => [name, pathsOf(layer.findings)]));
  return {
    inLayer: (name, path) => inLayers.get(name)?.has(path) ?? false,
    inRootfs: (path) => inRootfs.has(path),
  };
}

function pathsOf(findings: readonly TreeFinding[]): ReadonlySet<string> {
  return new Set(findings.map(({ path }) => path));
}
