import type { ByteString } from "../../src/host/byte-string.js";
import { Ambiguous, Doubts, type Place, Remarks, type Watch } from "./layer-doubts.js";
import {
  baseOf,
  byPath,
  isMarker,
  isWithin,
  join,
  leadingPaths,
  type Marker,
  markerOf,
  nameOf,
  parentOf,
  partsOf,
} from "./layer-names.js";
import { type LayerEntry, usualPolicy } from "./layers.js";

/*
 * How layers are applied (image-spec, layer.md: "Applying Changesets", "Whiteouts", "Opaque
 * Whiteout"), in memory and as plainly as can be: what a rootfs has to look like. First a layer's
 * markers hide what lower layers have, then its entries take their places, one after another.
 * Where the spec leaves something open, "Decision" says what we do. Nothing that is told to
 * `#doubts` changes the result.
 */

interface Directory {
  readonly kind: "directory";
  readonly mode: number;
  readonly mtime: number;
  /** Whether no entry describes it. */
  readonly isImplied: boolean;
}

/** Anything else that an entry makes. Names of one file hold the same object. */
interface Leaf {
  readonly kind: "file" | "symlink" | "device";
  readonly entry: LayerEntry;
}

/** A hard link to what the layer has only later, until all its entries are there. */
interface Waiting {
  readonly kind: "waiting";
  readonly target: ByteString;
}

type Node = Directory | Leaf | Waiting;

/** What stands at each path; `""` is the root. No path leads through a link. */
type Tree = Map<ByteString, Node>;

/** The stack is one that has to be refused. */
export class Refused extends Error {}

/** Decision: directories that no entry describes are 0755 and of 1970. */
const implied: Directory = { kind: "directory", mode: 0o755, mtime: 0, isImplied: true };

export class LayerModel {
  #tree: Tree = new Map([["", implied]]);
  readonly remarks: Remarks = new Remarks();

  /** Applies a layer on top of those before. @throws Refused, Ambiguous */
  apply(entries: readonly LayerEntry[]): void {
    const doubts = new Doubts(entries, this.remarks);
    this.#tree = new Application({ lower: this.#tree, entries, doubts }).run();
  }

  /** One line per path; `treeLines` gives the same for a tree on disk. */
  lines(): readonly string[] {
    const names = new Map<Node, ByteString[]>();
    for (const [path, node] of this.#onDisk()) names.set(node, [...(names.get(node) ?? []), path]);
    return this.#onDisk().map(([path, node]) => {
      const same = node.kind === "directory" ? [path] : (names.get(node) ?? []);
      return lineOf(path, describe(node), same);
    });
  }

  /** Directories that no entry of any layer describes. */
  impliedDirectories(): ByteString[] {
    const isImplied = (node: Node) => node.kind === "directory" && node.isImplied;
    return this.#onDisk().flatMap(([path, node]) => (isImplied(node) ? [path] : []));
  }

  /** Decision: devices and fifos are not made, nor are further names of them. */
  #onDisk(): (readonly [ByteString, Node])[] {
    const made = [...this.#tree].filter(([, { kind }]) => kind !== "device");
    return made.sort(([a], [b]) => byPath(a, b));
  }
}

/** What stands at a path. */
export interface Described {
  readonly mode: number;
  readonly mtime: number;
  readonly what: string;
}

export function lineOf(path: ByteString, found: Described, names: readonly ByteString[]): string {
  const { mode, mtime, what } = found;
  return `${path} ${mode.toString(8)} ${mtime} ${what} (${names.join(" ")})`;
}

function describe(node: Node): Described {
  if (node.kind === "waiting") throw new TypeError("all hard links have found their files");
  if (node.kind === "directory") return { mode: node.mode, mtime: node.mtime, what: "/" };
  const { linkName, content, mtime = 0 } = node.entry;
  if (node.kind === "symlink") return { mode: 0o777, mtime, what: `-> ${linkName}` };
  return { mode: modeOf(node.entry), mtime, what: String(content) };
}

/** Decision: setuid and setgid bits are dropped; an ordinary user can always delete directories. */
function modeOf({ type, mode = 0o644 }: LayerEntry): number {
  const ownerBits = type === "5" && usualPolicy.owner === "squash" ? 0o700 : 0;
  return (mode & ~0o6000) | ownerBits;
}

function directoryOf(entry: LayerEntry): Directory {
  return { kind: "directory", mode: modeOf(entry), mtime: entry.mtime ?? 0, isImplied: false };
}

const leaves = new WeakMap<LayerEntry, Leaf>();

/** The same entry is the same file whenever its layer is applied. */
function leafOf(entry: LayerEntry): Leaf {
  const kind = entry.type === "0" ? "file" : entry.type === "2" ? "symlink" : "device";
  const leaf = leaves.get(entry) ?? { kind, entry };
  leaves.set(entry, leaf);
  return leaf;
}

/** One layer, while it is applied. */
class Application {
  readonly #lower: Tree;
  readonly #tree: Tree;
  readonly #entries: readonly LayerEntry[];
  readonly #doubts: Doubts;
  /** Directories that lie beyond a loop of links. */
  readonly #loops: { readonly path: ByteString; readonly isForLink: boolean }[] = [];
  /** Where lower layers have the directory that each marker speaks of. */
  readonly #hiddenIn = new Map<LayerEntry, ByteString | undefined>();

  constructor(layer: { lower: Tree; entries: readonly LayerEntry[]; doubts: Doubts }) {
    this.#lower = layer.lower;
    this.#tree = new Map(layer.lower);
    this.#entries = layer.entries;
    this.#doubts = layer.doubts;
  }

  run(): Tree {
    this.#hide();
    for (const entry of this.#entries) {
      if (isMarker(entry)) this.#doubtMarker(entry);
      else this.#add(entry);
    }
    this.#refuseLoops();
    this.#endWaiting();
    return this.#tree;
  }

  /** What the layer has with no other below it, but for its links to what others have. */
  #alone(): Tree {
    const doubts = new Doubts(this.#entries, new Remarks());
    const lower: Tree = new Map([["", implied]]);
    const alone = new Application({ lower, entries: this.#entries, doubts });
    for (const entry of this.#entries) if (!isMarker(entry)) alone.#add(entry);
    return alone.#tree;
  }

  /**
   * Spec: markers hide what lower layers have, in whatever order they come. Decision: they do so from
   * the root down. Devices, which are not made, do as if they were whiteouts.
   */
  #hide(): void {
    const own = this.#alone();
    const markers = this.#entries.flatMap((entry) => {
      const marker = markerOf(entry);
      if (!marker) return [];
      // Decision: a link of the layer's own leads its markers where it leads its files.
      const directory = follow({ from: "", path: marker.directory }, { tree: own, make: ignore });
      if (directory === undefined) throw new Refused(`${entry.name} lies beyond a loop of links`);
      return [{ ...marker, directory, entry }];
    });
    const devices = [...own].filter(([, { kind }]) => kind === "device");
    const hidden = devices.map(([path]) => ({ directory: parentOf(path), name: baseOf(path) }));
    for (const marker of [...markers, ...hidden].sort(fromRootDown)) {
      const place = this.#lowerDirectory(marker.directory, own);
      if ("entry" in marker) this.#hiddenIn.set(marker.entry, place);
      if (place !== undefined) this.#hideIn(place, marker.name);
    }
  }

  #hideIn(directory: ByteString, name: ByteString | undefined): void {
    if (name !== undefined) this.#remove(join(directory, name));
    else {
      const children = [...this.#tree.keys()].filter((path) => path !== "");
      for (const path of children) if (parentOf(path) === directory) this.#remove(path);
    }
  }

  /**
   * Decision: a marker below a lower layer's link speaks of the link's target; but where this layer
   * puts a directory of its own in the link's place, of that.
   */
  #lowerDirectory(path: ByteString, own: Tree): ByteString | undefined {
    let at: ByteString | undefined = "";
    for (const step of leadingPaths(path)) {
      const mine = own.get(step);
      const isDescribed = mine?.kind === "directory" && !mine.isImplied;
      const next: ByteString = join(at, baseOf(step));
      if (isDescribed && this.#tree.get(next)?.kind !== "directory") return undefined;
      if (isLoop(next, { tree: this.#tree })) throw new Refused(`${path} is a loop of links`);
      at = follow({ from: "", path: next }, { tree: this.#tree });
      if (at === undefined) return undefined;
    }
    return at;
  }

  #add(entry: LayerEntry): void {
    const name = nameOf(entry);
    const parent = this.#enter(parentOf(name));
    if (parent === undefined) {
      this.#loops.push({ path: parentOf(name), isForLink: entry.type === "2" });
      return;
    }
    const place = { path: name === "" ? "" : join(parent, baseOf(name)), name };
    this.#put(this.#nodeOf(entry, place), place);
  }

  #nodeOf(entry: LayerEntry, place: Place): Node {
    if (entry.type === "5") return directoryOf(entry);
    return entry.type === "1" ? this.#fileLinkedBy(entry, place) : leafOf(entry);
  }

  /** Spec: directories are merged, all else is as if removed and made anew. */
  #put(node: Node, { path, name }: Place): void {
    const isMerged = node.kind === "directory" && this.#tree.get(path)?.kind === "directory";
    if (isMerged) this.#doubts.describe({ path, name });
    else this.#remove(path, name);
    this.#tree.set(path, node);
    this.#doubts.place({ path, name });
  }

  #remove(path: ByteString, name?: ByteString): void {
    this.#doubts.remove({ path, name });
    for (const other of this.#tree.keys()) if (isWithin(other, path)) this.#tree.delete(other);
  }

  /** The directory that a parent's name leads to, made as far as it is missing; not for a loop. */
  #enter(parent: ByteString): ByteString | undefined {
    let at: ByteString | undefined = "";
    const met = { lowerLinks: 0, ownUps: 0 };
    for (const name of leadingPaths(parent)) {
      const make = (path: ByteString, isInLink: boolean) => {
        this.#doubts.make(path, { isThere: this.#tree.has(path) });
        this.#remove(path, isInLink ? undefined : name);
        this.#tree.set(path, implied);
      };
      const watch = this.#doubts.way(name, met);
      at = follow({ from: at, path: baseOf(name) }, { tree: this.#tree, make, watch });
      if (at === undefined) this.#doubts.loop(met);
      if (at === undefined) return undefined;
      this.#doubts.arrive({ path: at, name });
    }
    return at;
  }

  /** The file that gets another name. */
  #fileLinkedBy(entry: LayerEntry, from: Place): Leaf | Waiting {
    const target = partsOf(entry.linkName ?? "").join("/");
    const { place, links } = this.#targetOf(target);
    this.#doubts.target({ path: place ?? target, name: target }, links);
    const found = place === undefined ? undefined : this.#tree.get(place);
    if (place !== undefined && found !== undefined) {
      if (found.kind !== "directory") {
        this.#doubts.hardLink({ from, to: place });
        return found;
      }
      const isOwn = this.#doubts.knows({ path: place, name: target });
      if (isOwn) throw new Refused(`${from.name} is a hard link to a directory`);
    }
    this.#doubts.lateTarget();
    const isBeyondLoop = [this.#tree, this.#lower].some((tree) =>
      isLoop(parentOf(target), { tree }),
    );
    if (isBeyondLoop) this.#loops.push({ path: parentOf(target), isForLink: false });
    // Decision: a lower layer's file can be linked to although this layer hides it.
    const lowerPlace = placeOf(target, { tree: this.#lower });
    const lower = lowerPlace === undefined ? undefined : this.#lower.get(lowerPlace);
    if (lower !== undefined && lower.kind !== "directory") return lower;
    // Decision: a hard link may come before its target.
    return { kind: "waiting", target };
  }

  /** Where a hard link's target is, and the links that it leads through. */
  #targetOf(target: ByteString) {
    const links: ByteString[] = [];
    const watch = { link: (path: ByteString) => links.push(path), directory: ignore, up: ignore };
    return { place: placeOf(target, { tree: this.#tree, watch }), links };
  }

  #endWaiting(): void {
    for (const [path, node] of this.#tree) {
      if (node.kind !== "waiting") continue;
      const { place, links } = this.#targetOf(node.target);
      this.#doubts.lateLinks(links);
      const found = place === undefined ? undefined : this.#tree.get(place);
      if (found === undefined || found === node || found.kind === "directory") {
        throw new Refused(`${path} is a hard link to nothing`);
      }
      this.#doubts.endWaiting("entry" in found ? found.entry : undefined);
      this.#tree.set(path, found);
    }
  }

  /** Decision: what lies beyond a loop of links is refused. */
  #refuseLoops(): void {
    for (const { path, isForLink } of this.#loops) {
      if (isForLink || !isLoop(path, { tree: this.#tree, make: ignore })) {
        throw new Ambiguous("a loop of links that the layer may end");
      }
    }
    const first = this.#loops[0];
    if (first !== undefined) throw new Refused(`${first.path} is a loop of links`);
  }

  #doubtMarker(entry: LayerEntry): void {
    const name = parentOf(nameOf(entry));
    const after = follow({ from: "", path: name }, { tree: this.#tree });
    this.#doubts.marker({ name, before: this.#hiddenIn.get(entry), after });
    const isBeyondLoop = isLoop(name, { tree: this.#tree, make: ignore });
    if (isBeyondLoop) this.#doubts.markerBeyondLoop();
  }
}

/** What lies nearest to the root first. */
function fromRootDown(a: Marker, b: Marker): number {
  const depth = ({ directory }: Marker) => leadingPaths(directory).length;
  const path = ({ directory, name }: Marker) =>
    name === undefined ? directory : join(directory, name);
  return depth(a) - depth(b) || (path(a) < path(b) ? -1 : 1);
}

const ignore = () => undefined;

interface Way {
  readonly tree: Tree;
  /** Makes a directory where none is; without it, nothing is made. */
  readonly make?: (path: ByteString, isInLink: boolean) => void;
  readonly watch?: Watch;
}

/** Decision: a path leads through at most 40 links, as in the kernel; through more, nowhere. */
const linkLimit = 40;

/** The directory that `path` leads to: links are followed, and stop at the root. */
function follow(
  start: { from: ByteString; path: ByteString; within?: ByteString },
  way: Way,
  links = { count: 0 },
): ByteString | undefined {
  const { path, within } = start;
  let at = start.from;
  for (const part of partsOf(path)) {
    const next = join(at, part);
    const node = way.tree.get(next);
    if (part === "..") {
      if (within !== undefined) way.watch?.up(at, within);
      at = parentOf(at);
    } else if (node?.kind === "symlink") {
      if (++links.count > linkLimit) return undefined;
      way.watch?.link(next, node.entry);
      const target = node.entry.linkName ?? "";
      const from = target.startsWith("/") ? "" : at;
      const end = follow({ from, path: target, within: next }, way, links);
      if (end === undefined) return undefined;
      at = end;
    } else {
      if (node?.kind !== "directory" && !way.make) return undefined;
      if (node?.kind !== "directory") way.make?.(next, within !== undefined);
      if (within !== undefined) way.watch?.directory(next);
      at = next;
    }
  }
  return at;
}

/** Whether `path` leads in a circle. */
function isLoop(path: ByteString, way: Way): boolean {
  const links = { count: 0 };
  follow({ from: "", path }, way, links);
  return links.count > linkLimit;
}

/** Where `path` lies, its last component not followed. */
function placeOf(path: ByteString, way: Way): ByteString | undefined {
  const parent = follow({ from: "", path: parentOf(path) }, way);
  return parent === undefined ? undefined : join(parent, baseOf(path));
}
