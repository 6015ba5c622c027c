import { join } from "node:path";
import { CacheLayout } from "../../cache/layout.js";
import { StageError } from "../../errors.js";
import { type DropPlace, openDropPlace } from "./drop-place.js";
import type { NodeLedger } from "./node-ledger.js";
import { dropName } from "./node-steps.js";
import { sendFile } from "./send-file.js";

export interface PackSenderOptions {
  readonly job: string;
  readonly ledger: NodeLedger;
  /** All that will be sent. */
  readonly images: readonly string[];
  /** Where a node has its cache; what is sent goes into it. */
  readonly cacheOf: (node: string) => string | undefined;
  /** Is told of nodes that can't be reached so. */
  readonly onLeft: (nodes: readonly string[], error: StageError) => void;
  readonly startWithin: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** How often a file is sent anew, to those nodes that no error named. */
const sendings = 3;

/** Sends packs to nodes of a job, into a directory that goes when all is done. */
export class PackSender {
  readonly #options: PackSenderOptions;
  readonly #opened: DropPlace[] = [];
  #place: DropPlace | undefined;

  constructor(options: PackSenderOptions) {
    this.#options = options;
  }

  /**
   * Sends an image's pack to the nodes that lack it. Those that it can't be sent to are left out,
   * and the others get it anew.
   * @returns the directory that it is in on the nodes that still lack it; undefined where none does
   * @throws StageError BUSY when Slurm has no place for it; what `signal` was aborted with
   */
  async send(path: string, image: string): Promise<string | undefined> {
    const { ledger, onLeft, env, signal } = this.#options;
    for (let sending = 1; ledger.lacking(image).length > 0; sending++) {
      this.#place ??= await this.#open();
      const place = this.#place;
      const has = new Set(place.nodes);
      const others = ledger.lacking(image).filter((node) => !has.has(node));
      onLeft(others, new StageError("BUSY", "the node has no directory for what Slurm would send"));
      const { error, without } = await sendFile(path, { place, env, signal });
      if (!error) return place.directory;
      // Where none is named, all of them may be without the file.
      const isLast = sending === sendings || without.length === 0;
      onLeft(isLast ? ledger.lacking(image) : without, error);
      // What is in it stays till the end: nodes may be at it.
      this.#place = undefined;
    }
    return undefined;
  }

  /** Removes the directories. */
  async end(): Promise<void> {
    await Promise.all(this.#opened.map((place) => place.end()));
  }

  async #open(): Promise<DropPlace> {
    const { ledger, images, cacheOf, ...options } = this.#options;
    const nodes = ledger.lackingAny(images);
    const cache = mostCommon(nodes.map((node) => cacheOf(node) ?? ""));
    const directory = join(new CacheLayout(cache).tmp, dropName());
    const place = await openDropPlace(nodes, { ...options, directory });
    this.#opened.push(place);
    return place;
  }
}

function mostCommon(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? "";
}
