import { readdirSync } from "node:fs";
import { fromSystemError, StageError } from "../errors.js";
import { type ByteString, pathBelow } from "../host/byte-string.js";
import { join } from "../host/rooted-tree.js";
import { GrowingRootfs } from "./growing-rootfs.js";
import { hideLower } from "./hide-lower.js";
import { LowerLinks } from "./lower-links.js";
import { attributesOf } from "./metadata.js";
import type { UnpackedLayer } from "./unpacked-layer.js";

/** Where a rootfs is put together. */
export interface AssemblyPlace {
  /** An empty directory that nobody else writes to, on the layers' file system. */
  readonly rootfs: string;
  /** An empty directory beside it, for what is under way. */
  readonly scratch: string;
}

/**
 * Puts a rootfs together from layers, with hard links to their files (image-spec, layer.md,
 * "Applying Changesets"). Where links are impossible the files are copied.
 * @param layers the base layer first
 * @throws StageError IMAGE_INVALID for a hard link to a file that no layer has, NO_SPACE
 */
export function assembleRootfs(layers: Iterable<UnpackedLayer>, place: AssemblyPlace): void {
  const assembly = new Assembly(place);
  for (const layer of layers) assembly.add(layer);
  assembly.finish();
}

/** As {@link assembleRootfs}, from layers that are applied when they come. */
export async function assembleAsTheyCome(
  layers: AsyncIterable<UnpackedLayer>,
  place: AssemblyPlace,
): Promise<void> {
  const assembly = new Assembly(place);
  for await (const layer of layers) assembly.add(layer);
  assembly.finish();
}

class Assembly {
  readonly #rootfs: GrowingRootfs;
  readonly #lowerLinks: LowerLinks;
  readonly #directory: string;

  constructor({ rootfs, scratch }: AssemblyPlace) {
    this.#directory = rootfs;
    this.#rootfs = new GrowingRootfs(rootfs);
    this.#lowerLinks = new LowerLinks(this.#rootfs, scratch);
  }

  /** Applies a layer on top of those applied before. */
  add(layer: UnpackedLayer): void {
    this.#do(() => applyLayer(this.#rootfs, { layer, lowerLinks: this.#lowerLinks }));
  }

  finish(): void {
    this.#do(() => this.#rootfs.finish());
  }

  #do(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw fromSystemError(error, `put together ${this.#directory}`);
    }
  }
}

function applyLayer(
  rootfs: GrowingRootfs,
  { layer, lowerLinks }: { layer: UnpackedLayer; lowerLinks: LowerLinks },
): void {
  const { tree, record } = layer;
  rootfs.mayHaveAttributes ||= Object.keys(record.onRecord.xattrs).length > 0;
  rootfs.beginLayer();
  // Links to lower files come first: the same layer may hide the names they were made under.
  const links = lowerLinks.hold(record);
  const implied = new Set(record.implied);
  hideLower(rootfs, { layer, implied });
  if (!implied.has("")) {
    rootfs.describe("", { source: tree, attributes: attributesOf(record.onRecord, "") });
  }
  addTree(rootfs, {
    layer,
    implied,
    replaced: new Set(record.replaced),
    isStraight: isStraight(rootfs, implied),
  });
  lowerLinks.place(links);
  for (const path of record.skipped) rootfs.skip(path);
}

/**
 * Whether each path of a layer means itself: no directory that it only passes through is a link of
 * a lower layer.
 */
function isStraight({ tree }: GrowingRootfs, implied: ReadonlySet<ByteString>): boolean {
  try {
    return [...implied].every((path) => tree.resolveLinks(path) === path);
  } catch (error) {
    // A loop of links, which the layer may replace or run into.
    if (error instanceof StageError) return false;
    throw error;
  }
}

/** Where in a layer a directory is, and how it is added. */
interface Source {
  readonly layer: UnpackedLayer;
  readonly implied: ReadonlySet<ByteString>;
  readonly replaced: ReadonlySet<ByteString>;
  /** Whether each path of the layer means itself. */
  readonly isStraight: boolean;
  readonly from: ByteString;
  /** Collects directories that are links in the rootfs, for later. */
  readonly beyond: ByteString[];
}

/**
 * Adds what a layer has. What lies beyond links comes after the rest, which may put other links in
 * their places.
 */
function addTree(rootfs: GrowingRootfs, source: Omit<Source, "from" | "beyond">): void {
  let pending: ByteString[] = [""];
  while (pending.length > 0) {
    const beyond: ByteString[] = [];
    for (const from of pending)
      addDirectory(rootfs, { ...source, to: rootfs.pass(from), from, beyond });
    pending = beyond;
  }
}

/**
 * Adds what a layer has below the directory `from` to the resolved directory `to`, but for what lies
 * beyond links.
 */
function addDirectory(rootfs: GrowingRootfs, source: Source & { to: ByteString }): void {
  const { layer, implied, replaced, isStraight, from, to, beyond } = source;
  const directory = pathBelow(layer.tree, from);
  for (const entry of readdirSync(directory, { encoding: "latin1", withFileTypes: true })) {
    const below = join(from, entry.name);
    const path = join(to, entry.name);
    const isDescribed = !implied.has(below);
    if (!isStraight && isDescribed) rootfs.addsTo(to);
    if (!entry.isDirectory()) {
      rootfs.link(pathBelow(layer.tree, below), path);
      continue;
    }
    if (replaced.has(below)) rootfs.remove(path);
    if (isDescribed) {
      const attributes = attributesOf(layer.record.onRecord, below);
      rootfs.describe(path, { source: pathBelow(layer.tree, below), attributes });
      addDirectory(rootfs, { ...source, to: path, from: below });
    } else if (rootfs.tree.kindOf(path) === "symlink") {
      beyond.push(below);
    } else {
      addDirectory(rootfs, { ...source, to: rootfs.pass(path), from: below });
    }
  }
}
