import { rootfsOf } from "../../cache/entry.js";
import { layerFile, layerTree } from "../../cache/layer-store.js";
import type { CacheLayout } from "../../cache/layout.js";
import { leavingFile } from "../../cache/leases/leaving.js";
import { isOpenToReaders } from "../../cache/place/readers.js";
import { entryAt } from "../../cache/removal/inventory.js";
import { errnoOf } from "../../errors.js";
import type { TreeFinding } from "../../extract/check/finding.js";
import { InodeBook } from "../../extract/check/inode-book.js";
import { type LayerRecord, parseLayerRecord } from "../../extract/layer-record.js";
import { listTree } from "../../extract/listing/list-tree.js";
import type { ListedDirectory } from "../../extract/listing/listed-node.js";
import { ListingDamaged, readListing } from "../../extract/listing/read-listing.js";
import type { ByteString } from "../../host/byte-string.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import { readJsonIfAny } from "../../host/read-json.js";
import { layerNamesOf } from "../sources/layer-names.js";
import { isStagedImage, type StagedImage } from "../staged-image.js";
import { placesMade, unexplained } from "./broken-off.js";
import { expectedRootfs, type ListedLayer } from "./expected-rootfs.js";
import type { VerifiedLayer, VerifyEvent } from "./result.js";
import { type TreeWalk, walkTree } from "./tree-walk.js";

export interface CacheCheckOptions
  extends Pick<TreeWalk, "workers" | "atOnce" | "choice" | "checked" | "signal"> {
  readonly onEvent: ((event: VerifyEvent) => void) | undefined;
}

/** What was found in a layer. */
export interface LayerCheck {
  readonly findings: readonly TreeFinding[];
  readonly digests: VerifiedLayer["digests"];
  /** What its tree is to hold; undefined where too little is left of it to say. */
  readonly layer: ListedLayer | undefined;
}

/** What was found in an entry. */
export interface EntryCheck {
  readonly details: StagedImage | undefined;
  /** Of its rootfs. */
  readonly findings: readonly TreeFinding[];
  /** Of its layers by their names in the cache. */
  readonly layers: ReadonlyMap<string, LayerCheck>;
}

/** Which content is read: that of the files of which this is true. */
export interface Attention {
  readonly inLayer: (name: string, path: ByteString) => boolean;
  readonly inRootfs: (path: ByteString) => boolean;
}

/** Compares what the cache has with what is on record of it. Takes no locks and changes nothing. */
export class CacheCheck {
  readonly #layout: CacheLayout;
  readonly #options: CacheCheckOptions;

  constructor(layout: CacheLayout, options: CacheCheckOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  /** @returns undefined where there is no such entry */
  async entry(key: string, attention: Attention): Promise<EntryCheck | undefined> {
    const layout = this.#layout;
    const stat = lstatIfAny(layout.entry(key));
    if (!stat) return undefined;
    const entry = stat.isDirectory()
      ? entryAt(layout, { key, isDetails: isStagedImage })
      : undefined;
    if (!entry) {
      if (!lstatIfAny(layout.entry(key))) return undefined;
      const findings = [record("entry.json is missing or damaged")];
      return { details: undefined, findings, layers: new Map() };
    }
    const { details } = entry;
    const names = layerNamesOf(key, details);
    const book = new InodeBook();
    const layers = new Map<string, LayerCheck>();
    for (const name of new Set(names)) {
      layers.set(name, await this.layer(name, { book, attention }));
    }
    const listed = names.flatMap((name) => layers.get(name)?.layer ?? []);
    this.#options.onEvent?.({ type: "checking", in: "rootfs", name: key });
    const isWhole = listed.length === names.length;
    const at = { details, listed, book, attention };
    const findings = isWhole ? await this.#rootfs(key, at) : [];
    return findings && { details, findings, layers };
  }

  /** @param options.book gets to know the layer's files */
  async layer(
    name: string,
    { book, attention }: { book: InodeBook; attention: Attention },
  ): Promise<LayerCheck> {
    this.#options.onEvent?.({ type: "checking", in: "layer", name });
    const root = layerTree(this.#layout, name);
    const { findings, digests, layer } = this.#listed(name, root);
    if (!layer) return { findings, digests, layer };
    const isWanted = (path: ByteString) => attention.inLayer(name, path);
    const expected = layer.listed;
    const found = await walkTree({ ...this.#options, root, expected, book, isWanted });
    return { findings: [...findings, ...found], digests, layer };
  }

  #listed(name: string, tree: string): LayerCheck {
    const layout = this.#layout;
    const stat = lstatIfAny(layout.layer(name));
    if (stat && !stat.isDirectory()) {
      const findings = [record("is no directory")];
      return { findings, digests: "missing", layer: undefined };
    }
    if (!stat) {
      const findings = [{ code: "MISSING", path: "", message: "is missing" } as const];
      return { findings, digests: "missing", layer: undefined };
    }
    const file = layerFile(layout, name);
    // One that somebody is about to remove is whole until it is gone.
    const found = readRecord(file) ?? readRecord(leavingFile(file));
    if (!found) {
      const findings = [record("layer.json is missing or damaged")];
      return { findings, digests: "missing", layer: undefined };
    }
    const { listing } = found;
    try {
      if (!listing) return this.#asItIs(tree, { record: found, findings: [] });
      const listed = readListing(layout.layer(name), listing);
      return { findings: [], digests: listing.digests, layer: { record: found, listed } };
    } catch (error) {
      const damage = error instanceof ListingDamaged ? error.message : undefined;
      if (damage === undefined && errnoOf(error) !== "ENOENT") throw error;
      const findings = [record(damage ?? "its listing, or its list of digests, is missing")];
      return this.#asItIs(tree, { record: found, findings });
    }
  }

  /** Without a listing, what the layer's tree has is what its rootfs is to have. */
  #asItIs(
    tree: string,
    { record, findings }: { record: LayerRecord; findings: readonly TreeFinding[] },
  ): LayerCheck {
    try {
      const listed: ListedDirectory = listTree(tree);
      return { findings, digests: "missing", layer: { record, listed } };
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      const missing = { code: "MISSING", path: "", message: "is missing" } as const;
      return { findings: [...findings, missing], digests: "missing", layer: undefined };
    }
  }

  /** @returns undefined where the entry was removed meanwhile */
  async #rootfs(
    key: string,
    entry: {
      details: StagedImage;
      listed: readonly ListedLayer[];
      book: InodeBook;
      attention: Attention;
    },
  ): Promise<readonly TreeFinding[] | undefined> {
    const { details, listed, book, attention } = entry;
    const stat = lstatIfAny(this.#layout.entry(key));
    if (!stat) return undefined;
    const { uid, gid } = stat;
    const { mountPoints, planned } = details;
    const root = rootfsOf(this.#layout, key);
    const places = planned?.places ?? [];
    const expected = await expectedRootfs({
      layers: listed,
      mountPoints,
      places: placesMade(root, places),
      owner: { uid, gid },
      isOwnersOnly: isOpenToReaders(this.#layout.root),
    });
    const isWanted = attention.inRootfs;
    const found = await walkTree({ ...this.#options, root, expected, book, isWanted });
    return unexplained(found, places);
  }
}

function readRecord(file: string): LayerRecord | undefined {
  return parseLayerRecord(readJsonIfAny(file));
}

function record(message: string): TreeFinding {
  return { code: "RECORD", path: "", message };
}
