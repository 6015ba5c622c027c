import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import { errnoOf, fromSystemError, StageError } from "../errors.js";
import { type ByteString, displayPath, pathBelow } from "../host/byte-string.js";
import { AttributeWriter } from "../host/extended-attributes.js";
import { fileTime, modificationTime } from "../host/file-time.js";
import { linkOrCopy } from "../host/link-or-copy.js";
import { removeTree } from "../host/remove-tree.js";
import { baseOf, join, parentOf, RootedTree } from "../host/rooted-tree.js";
import { currentUmask } from "../host/umask.js";
import type { LayerRecord, LowerRecord } from "./layer-record.js";
import { type CrewEnd, LinkCrew } from "./link-crew.js";
import { fromRootDown } from "./marker-order.js";
import { attributesOf, type DiskMetadata } from "./metadata.js";
import { PathMap } from "./path-map.js";

/** An unpacked layer: where its tree is, and what its record says of lower layers. */
export interface UnpackedLayer {
  readonly tree: string;
  readonly record: LowerRecord & Pick<LayerRecord, "entries" | "onRecord">;
}

/** All that putting a rootfs together needs; plain data, so that another thread can do it. */
export interface AssembleTask {
  /** The base layer first. */
  readonly layers: readonly UnpackedLayer[];
  /** An empty directory that nobody else writes to, on the layers' file system. */
  readonly rootfs: string;
  /** An empty directory beside it, for what is under way. */
  readonly scratch: string;
  /** Ways to threads that help; by default none does. */
  readonly crew?: readonly CrewEnd[];
}

/** What a directory is to be like, and whether it has its mode already. */
type Described = DiskMetadata & { readonly isExact?: boolean };

const defaultDirectory: DiskMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };

/**
 * Puts a rootfs together from layers, with hard links to their files (image-spec, layer.md,
 * "Applying Changesets"). Where links are impossible the files are copied.
 * @throws StageError IMAGE_INVALID for a hard link to a file that no layer has, NO_SPACE
 */
export function assembleRootfs({ layers, rootfs, scratch, crew = [] }: AssembleTask): void {
  const links = new LinkCrew(crew);
  const assembly = new Assembly({ rootfs, scratch, links });
  try {
    for (const layer of layers) assembly.apply(layer);
    assembly.finish();
  } catch (error) {
    throw fromSystemError(error, `put together ${rootfs}`);
  } finally {
    links.close();
  }
}

class Assembly {
  readonly #tree: RootedTree;
  readonly #scratch: string;
  readonly #links: LinkCrew;
  readonly #isRoot: boolean = process.geteuid?.() === 0;
  readonly #directories = new Map<ByteString, Described>([["", defaultDirectory]]);
  readonly #umask: number = currentUmask();
  readonly #attributes = new AttributeWriter();
  readonly #skipped = new PathMap<true>();
  /** Directories in which the present layer has something, if it may have several names for them. */
  readonly #addedTo = new Set<ByteString>();
  #mayHaveAttributes = false;
  #isEmpty = true;
  #held = 0;

  constructor(where: { rootfs: string; scratch: string; links: LinkCrew }) {
    this.#links = where.links;
    this.#tree = new RootedTree(where.rootfs);
    this.#scratch = where.scratch;
  }

  /** Applies a layer on top of those applied before. */
  apply(layer: UnpackedLayer): void {
    this.#mayHaveAttributes ||= Object.keys(layer.record.onRecord.xattrs).length > 0;
    this.#addedTo.clear();
    // Links to lower files come first: the same layer may hide the names they were made under.
    const links = this.#holdLinks(layer);
    const implied = new Set(layer.record.implied);
    this.#hide(layer, implied);
    const isStraight = this.#isStraight(implied);
    const isFresh = isStraight && this.#isEmpty;
    this.#isEmpty = false;
    if (!implied.has("")) this.#describe("", { layer, from: "" });
    const replaced = new Set(layer.record.replaced);
    this.#addTree({ layer, implied, replaced, isStraight, isFresh });
    this.#links.settle();
    this.#placeLinks(links);
    for (const path of layer.record.skipped) this.#skip(path);
  }

  /**
   * Whether each path of the layer means itself: no directory that it only passes through is a link
   * of a lower layer.
   */
  #isStraight(implied: ReadonlySet<ByteString>): boolean {
    try {
      return [...implied].every((path) => this.#tree.resolveLinks(path) === path);
    } catch (error) {
      // A loop of links, which the layer may replace or run into.
      if (error instanceof StageError) return false;
      throw error;
    }
  }

  /** Remembers that a device or fifo is missing at `path`, for links to it. */
  #skip(path: ByteString): void {
    const place = this.#placeOf(path);
    if (place !== undefined) this.#skipped.set(place, true);
  }

  #isSkipped(path: ByteString): boolean {
    const place = this.#placeOf(path);
    if (place === undefined || !this.#skipped.get(place)) return false;
    return this.#tree.kindOf(place) === "missing";
  }

  /** Sets what could be set only when nothing is added any more. */
  finish(): void {
    for (const [path, directory] of this.#directories) {
      const { mode, uid, gid, mtime, attributes, isExact = false } = directory;
      const target = this.#tree.at(path);
      // What the disk refuses here it has refused in the layer's tree, where it was counted.
      if (attributes) this.#attributes.setOnDirectory(target, attributes);
      if (this.#isRoot && (uid !== 0 || gid !== 0)) lchownSync(target, uid, gid);
      if (!isExact) chmodSync(target, mode);
      utimesSync(target, fileTime(mtime), fileTime(mtime));
    }
  }

  /** Removes what whiteouts and opaque markers of a layer hide. */
  #hide({ tree, record }: UnpackedLayer, implied: ReadonlySet<ByteString>): void {
    const layer = { own: new RootedTree(tree), implied };
    // A link of the layer's own leads its markers where it leads its files.
    const markers = fromRootDown({
      whiteouts: record.whiteouts.map((path) => {
        return join(layer.own.resolveLinks(parentOf(path)), baseOf(path));
      }),
      opaque: record.opaque.map((path) => layer.own.resolveLinks(path)),
    });
    for (const { path, isOpaque } of markers) {
      const directory = this.#lowerDirectory(isOpaque ? path : parentOf(path), layer);
      if (directory === undefined) continue;
      if (isOpaque) this.#empty(directory);
      else this.#remove(join(directory, baseOf(path)));
    }
  }

  /**
   * The directory of lower layers that `path` of this layer means. Links are followed, but not
   * where this layer puts a directory of its own in a link's place.
   */
  #lowerDirectory(
    path: ByteString,
    layer: { own: RootedTree; implied: ReadonlySet<ByteString> },
  ): ByteString | undefined {
    let directory: ByteString = "";
    let own: ByteString = "";
    let hasOwn = true;
    for (const name of path === "" ? [] : path.split("/")) {
      own = join(own, name);
      hasOwn = hasOwn && layer.own.kindOf(own) === "directory";
      const lower = join(directory, name);
      const isDescribed = hasOwn && !layer.implied.has(own);
      if (isDescribed && !this.#tree.isKnownDirectory(lower)) return undefined;
      const resolved = this.#tree.resolveDirectory(lower);
      if (resolved === undefined) return undefined;
      directory = resolved;
    }
    return directory;
  }

  /**
   * Adds what the layer has. What lies beyond links comes after the rest, which may put other links
   * in their places.
   */
  #addTree(source: Omit<Source, "from" | "beyond">): void {
    let pending: ByteString[] = [""];
    while (pending.length > 0) {
      const beyond: ByteString[] = [];
      for (const from of pending) {
        this.#addDirectory(this.#pass(from), { ...source, from, beyond });
      }
      pending = beyond;
    }
  }

  /**
   * Adds what the layer has below the directory `from` to the resolved directory `to`, but for what
   * lies beyond links.
   */
  #addDirectory(to: ByteString, source: Source): void {
    const { layer, implied, replaced, isStraight, isFresh, from, beyond } = source;
    const directory = pathBelow(layer.tree, from);
    const names: ByteString[] = [];
    for (const entry of readdirSync(directory, { encoding: "latin1", withFileTypes: true })) {
      const below = join(from, entry.name);
      const path = join(to, entry.name);
      if (!isStraight && !implied.has(below)) this.#addedTo.add(to);
      if (entry.isDirectory()) {
        if (replaced.has(below)) this.#remove(path);
        if (!implied.has(below)) {
          const isNew = this.#describe(path, { layer, from: below });
          this.#addDirectory(path, { ...source, from: below, isFresh: isStraight && isNew });
        } else if (this.#tree.kindOf(path) === "symlink") {
          beyond.push(below);
        } else {
          this.#addDirectory(this.#pass(path), { ...source, from: below, isFresh: false });
        }
      } else if (isFresh) {
        names.push(entry.name);
      } else {
        this.#link(pathBelow(layer.tree, below), path);
      }
    }
    if (names.length > 0) this.#linkAll(names, { from, to, layer });
  }

  /** Links files into a directory that has nothing of these names, and gets nothing of them. */
  #linkAll(
    names: readonly ByteString[],
    { from, to, layer }: { from: ByteString; to: ByteString; layer: UnpackedLayer },
  ): void {
    const mayHaveAttributes = this.#mayHaveAttributes;
    const [fromRoot, toRoot] = [layer.tree, this.#tree.root];
    this.#links.link({ fromRoot, from, toRoot, to, names, mayHaveAttributes });
  }

  /**
   * A directory that the layer describes: one of its own, whatever was there.
   * @returns whether it is new
   */
  #describe(
    path: ByteString,
    { layer, from }: { layer: UnpackedLayer; from: ByteString },
  ): boolean {
    const metadata = metadataOf(pathBelow(layer.tree, from));
    const attributes = attributesOf(layer.record.onRecord, from);
    const isNew = !this.#tree.isKnownDirectory(path);
    // Whoever can't write to it could not fill it, so some get their mode only at the end.
    const isExact = isNew && (metadata.mode & (this.#umask | 0o7000 | 0o700)) === 0o700;
    if (isNew) {
      const mode = isExact ? metadata.mode : 0o700;
      this.#replacing(path, () => mkdirSync(this.#tree.at(path), mode));
      this.#tree.addDirectory(path);
    }
    this.#directories.set(path, { ...metadata, attributes, isExact });
    return isNew;
  }

  /** A directory that the layer only passes through: the lower layers' one, links followed. */
  #pass(path: ByteString): ByteString {
    const resolved = this.#tree.resolveDirectory(path, (missing) => {
      mkdirSync(this.#tree.at(missing), 0o700);
      this.#directories.set(missing, defaultDirectory);
    });
    return resolved ?? path;
  }

  #link(source: string | Buffer, path: ByteString): void {
    const target = this.#tree.at(path);
    this.#replacing(path, () => this.#linkOrCopy(source, target));
  }

  #linkOrCopy(source: string | Buffer, target: string | Buffer): void {
    linkOrCopy(source, target, { mayHaveAttributes: this.#mayHaveAttributes });
  }

  #replacing(path: ByteString, put: () => void): void {
    try {
      put();
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#remove(path);
      put();
    }
  }

  #holdLinks({ record }: UnpackedLayer): readonly HeldLink[] {
    return record.links.map(([path, target]) => {
      const held = this.#hold(target);
      return { path, target, held, isSkipped: held === undefined && this.#isSkipped(target) };
    });
  }

  /** Keeps the file that `target` means under another name, whatever becomes of its own. */
  #hold(target: ByteString): string | undefined {
    const source = this.#fileAt(target);
    if (source === undefined) return undefined;
    const held = `${this.#scratch}/${this.#held++}`;
    this.#linkOrCopy(this.#tree.at(source), held);
    return held;
  }

  #placeLinks(links: readonly HeldLink[]): void {
    for (const { path, target, held, isSkipped } of links) {
      const file = held ?? (isSkipped ? undefined : this.#hold(target));
      if (file !== undefined) {
        this.#link(file, join(this.#pass(parentOf(path)), baseOf(path)));
        removeTree(file);
      } else if (isSkipped) {
        // Another name of a device: it is not made either, and hides what is in its place.
        this.#remove(join(this.#pass(parentOf(path)), baseOf(path)));
        this.#skip(path);
      } else {
        throw new StageError(
          "IMAGE_INVALID",
          `${displayPath(path)} is a hard link to ${displayPath(target)}, which is in no layer`,
        );
      }
    }
  }

  /** `path` with all but its last component resolved; undefined where it leads nowhere. */
  #placeOf(path: ByteString): ByteString | undefined {
    const parent = this.#tree.resolveDirectory(parentOf(path));
    return parent === undefined ? undefined : join(parent, baseOf(path));
  }

  /** The resolved path of what a hard link to `path` means: anything but a directory. */
  #fileAt(path: ByteString): ByteString | undefined {
    const file = this.#placeOf(path);
    if (file === undefined) return undefined;
    const kind = this.#tree.kindOf(file);
    return kind === "file" || kind === "symlink" ? file : undefined;
  }

  #remove(path: ByteString): void {
    const gone = this.#tree.remove(path);
    const own = gone.find((directory) => this.#addedTo.has(directory));
    if (own !== undefined) throw replacesItself(own);
    this.#forget(gone);
    this.#skipped.delete(path);
  }

  #empty(directory: ByteString): void {
    this.#forget(this.#tree.empty(directory));
    this.#skipped.deleteIn([directory]);
  }

  #forget(gone: readonly ByteString[]): void {
    for (const directory of gone) this.#directories.delete(directory);
    this.#skipped.deleteIn(gone);
  }
}

/** Where in a layer a directory is, and how it is added. */
interface Source {
  readonly layer: UnpackedLayer;
  readonly implied: ReadonlySet<ByteString>;
  readonly replaced: ReadonlySet<ByteString>;
  readonly from: ByteString;
  /** Collects directories that are links in the rootfs, for later. */
  readonly beyond: ByteString[];
  /** Whether each path of the layer means itself. */
  readonly isStraight: boolean;
  /** Whether what it is added to is new, so that nothing can be in the way of its files. */
  readonly isFresh: boolean;
}

/** A link to a lower layer's file, and the name under which the file is kept meanwhile. */
interface HeldLink {
  readonly path: ByteString;
  readonly target: ByteString;
  readonly held: string | undefined;
  /** Whether the target is a device or fifo that was not made. */
  readonly isSkipped: boolean;
}

function metadataOf(directory: string | Buffer): DiskMetadata {
  const stat = lstatSync(directory, { bigint: true });
  const mode = Number(stat.mode & 0o7777n);
  return { mode, uid: Number(stat.uid), gid: Number(stat.gid), mtime: modificationTime(stat) };
}

function replacesItself(path: ByteString): StageError {
  return new StageError(
    "IMAGE_INVALID",
    `a layer replaces the directory ${displayPath(path)} that it adds to, through a link`,
    { hint: "the image is malformed or hostile: build it again" },
  );
}
