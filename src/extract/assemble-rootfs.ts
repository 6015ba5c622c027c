import { fromSystemError, StageError } from "../errors.js";
import type { ByteString } from "../host/byte-string.js";
import { join } from "../host/rooted-tree.js";
import type { AssemblyDisk } from "./assembly-disk.js";
import { GrowingRootfs } from "./growing-rootfs.js";
import { hideLower } from "./hide-lower.js";
import { type CrewEnd, LinkCrew } from "./link-crew.js";
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

/** Where all of it is, if not on the machine's disk. */
export interface AssembledOn {
  readonly disk?: AssemblyDisk;
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

/**
 * As {@link assembleRootfs}, from layers that are applied when they come.
 * @param place.crew the way to a thread that may come to help
 */
export async function assembleAsTheyCome(
  layers: AsyncIterable<UnpackedLayer>,
  place: AssemblyPlace & AssembledOn & { readonly crew?: CrewEnd },
): Promise<void> {
  const crew = new LinkCrew(place.crew);
  try {
    const assembly = new Assembly(place, crew);
    for await (const layer of layers) assembly.add(layer);
    assembly.finish();
  } finally {
    crew.close();
  }
}

class Assembly {
  readonly #rootfs: GrowingRootfs;
  readonly #lowerLinks: LowerLinks;
  readonly #crew: LinkCrew;
  readonly #directory: string;

  constructor(
    { rootfs, scratch, disk }: AssemblyPlace & AssembledOn,
    crew: LinkCrew = new LinkCrew(undefined),
  ) {
    this.#crew = crew;
    this.#directory = rootfs;
    this.#rootfs = new GrowingRootfs(rootfs, disk);
    this.#lowerLinks = new LowerLinks(this.#rootfs, scratch);
  }

  /** Applies a layer on top of those applied before. */
  add(layer: UnpackedLayer): void {
    const [lowerLinks, crew] = [this.#lowerLinks, this.#crew];
    this.#do(() => applyLayer(this.#rootfs, { layer, lowerLinks, crew }));
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
  applied: { layer: UnpackedLayer; lowerLinks: LowerLinks; crew: LinkCrew },
): void {
  const { layer, lowerLinks, crew } = applied;
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
    crew,
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
  readonly crew: LinkCrew;
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
      addDirectory(rootfs, { ...source, to: rootfs.pass(from), from, beyond, isNew: false });
    source.crew.settle();
    pending = beyond;
  }
}

/**
 * Adds what a layer has below the directory `from` to the resolved directory `to`, but for what lies
 * beyond links.
 */
function addDirectory(
  rootfs: GrowingRootfs,
  source: Source & { to: ByteString; isNew: boolean },
): void {
  const { layer, implied, replaced, isStraight, from, to, beyond, isNew } = source;
  const { disk } = rootfs;
  const names: ByteString[] = [];
  const entries = disk.list(disk.at(layer.tree, from));
  // Where two paths of a layer lead to one place, which comes last must not depend on the disk.
  for (const entry of isStraight ? entries : inOrder(entries)) {
    const below = join(from, entry.name);
    const path = join(to, entry.name);
    const isDescribed = !implied.has(below);
    if (!isStraight && isDescribed) rootfs.addsTo(to);
    if (!entry.isDirectory()) {
      if (isNew && disk.isMachine) names.push(entry.name);
      else rootfs.link(disk.at(layer.tree, below), path);
      continue;
    }
    if (replaced.has(below)) rootfs.remove(path);
    if (isDescribed) {
      const attributes = attributesOf(layer.record.onRecord, below);
      const isNew = rootfs.describe(path, { source: disk.at(layer.tree, below), attributes });
      // Where each path means itself, nobody else puts anything into a directory that is new.
      addDirectory(rootfs, { ...source, to: path, from: below, isNew: isNew && isStraight });
    } else if (rootfs.tree.kindOf(path) === "symlink") {
      beyond.push(below);
    } else {
      addDirectory(rootfs, { ...source, to: rootfs.pass(path), from: below, isNew: false });
    }
  }
  if (names.length === 0) return;
  const [fromRoot, toRoot] = [layer.tree, rootfs.tree.root];
  const { mayHaveAttributes } = rootfs;
  source.crew.link({ fromRoot, from, toRoot, to, names, mayHaveAttributes });
}

function inOrder<Entry extends { readonly name: ByteString }>(
  entries: readonly Entry[],
): readonly Entry[] {
  return [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
}
