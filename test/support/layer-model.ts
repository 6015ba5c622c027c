import type { ByteString } from "../../src/host/byte-string.js";
import type { LayerEntry } from "./layers.js";

/*
 * How layers are applied (image-spec, layer.md), in memory and as plainly as can be: what an
 * assembled rootfs has to look like. Knows layers in which no path occurs twice and nothing lies
 * below a link of the same layer.
 */

interface Directory {
  readonly kind: "directory";
  mode: number;
  mtime: number;
  readonly children: Map<ByteString, Node>;
}

/** A file or symbolic link; hard links are one object under several names. */
interface Leaf {
  readonly kind: "file" | "symlink";
  readonly entry: LayerEntry;
}

type Node = Directory | Leaf;

/** The stack is one that has to be refused. */
export class Refused extends Error {}

/** The stack's meaning depends on the order of entries: it replaces what it passes through. */
export class Ambiguous extends Error {}

const leaves = new WeakMap<LayerEntry, Leaf>();

/** The same entry is the same file whenever its layer is applied. */
function leafOf(entry: LayerEntry): Leaf {
  const known = leaves.get(entry);
  const leaf = known ?? { kind: entry.type === "2" ? "symlink" : "file", entry };
  leaves.set(entry, leaf);
  return leaf;
}

function newDirectory(): Directory {
  return { kind: "directory", mode: 0o755, mtime: 0, children: new Map() };
}

export class LayerModel {
  readonly #root: Directory = newDirectory();

  /** Applies a layer on top of those before. */
  apply(entries: readonly LayerEntry[]): void {
    new Application(this.#root, entries).run();
  }

  /** Paths of all files and links. */
  leafPaths(): ByteString[] {
    return [...walk(this.#root)].filter(([, n]) => n.kind !== "directory").map(([path]) => path);
  }

  /** One line per path; {@link treeLines} gives the same for a tree on disk. */
  lines(): readonly string[] {
    const names = new Map<Node, ByteString[]>();
    const all = [...walk(this.#root)];
    for (const [path, node] of all) names.set(node, [...(names.get(node) ?? []), path]);
    return all.map(([path, node]) => lineOf(path, describe(node), names.get(node) ?? []));
  }
}

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
  if (node.kind === "directory") return { mode: node.mode, mtime: node.mtime, what: "/" };
  const { linkName, content, mode = 0o644, mtime = 0 } = node.entry;
  if (node.kind === "symlink") return { mode: 0o777, mtime, what: `-> ${linkName}` };
  return { mode, mtime, what: String(content) };
}

function* walk(node: Node, path = ""): Generator<readonly [ByteString, Node]> {
  yield [path, node];
  if (node.kind !== "directory") return;
  const byName = [...node.children].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, child] of byName) yield* walk(child, path === "" ? name : `${path}/${name}`);
}

interface HardLink {
  readonly entry: LayerEntry;
  readonly target: ByteString;
  /** The lower layers' file; undefined where they have none. */
  readonly lower: Leaf | undefined;
}

class Application {
  readonly #root: Directory;
  readonly #entries: readonly LayerEntry[];
  /** What this layer has added to or gone through. */
  readonly #used = new Set<Node>();
  readonly #described: ReadonlySet<ByteString>;
  readonly #ownLinks: ReadonlySet<ByteString>;

  constructor(root: Directory, entries: readonly LayerEntry[]) {
    this.#root = root;
    this.#entries = entries;
    this.#described = new Set(entries.filter(({ type }) => type === "5").map(({ name }) => name));
    const links = entries.filter(({ type }) => type === "1" || type === "2");
    this.#ownLinks = new Set(links.map(({ name }) => name));
  }

  run(): void {
    const { own, waiting } = this.#divideHardLinks();
    for (const entry of this.#entries) if (isMarker(entry) && !isOpaque(entry)) this.#hide(entry);
    for (const entry of this.#entries) if (isOpaque(entry)) this.#hide(entry);
    const added = this.#entries.filter((e) => !isMarker(e) && (e.type !== "1" || own.has(e)));
    for (const entry of added.sort(byPath)) this.#add(entry, own.get(entry));
    for (const { entry, target, lower } of waiting) {
      const leaf = lower ?? this.#leafAt(target);
      if (!leaf) throw new Refused(`${entry.name} is linked to nothing`);
      this.#add(entry, leaf);
    }
  }

  /** Links to this layer's own files, and links that wait for those of lower layers. */
  #divideHardLinks() {
    const own = new Map<LayerEntry, Leaf>();
    const waiting: HardLink[] = [];
    const seen = new Map<ByteString, Leaf | "directory" | { waitsFor: ByteString }>();
    for (const entry of this.#entries.filter((e) => !isMarker(e))) {
      const { type, name, linkName = "" } = entry;
      for (const parent of parentsOf(name)) seen.set(parent, "directory");
      if (type === "5") seen.set(name, "directory");
      else if (type !== "1") seen.set(name, leafOf(entry));
      else {
        if (parentsOf(linkName).some((p) => this.#ownLinks.has(p))) throw new Ambiguous();
        const found = seen.get(linkName);
        if (found === "directory") throw new Refused(`${name} is linked to a directory`);
        if (found && "kind" in found) {
          own.set(entry, found);
          seen.set(name, found);
        } else {
          const target = found?.waitsFor ?? linkName;
          waiting.push({ entry, target, lower: this.#leafAt(target) });
          seen.set(name, { waitsFor: target });
        }
      }
    }
    return { own, waiting };
  }

  #hide(entry: LayerEntry): void {
    const slash = entry.name.lastIndexOf("/");
    const parent = entry.name.slice(0, Math.max(slash, 0));
    const base = entry.name.slice(slash + 1);
    if (parentsOf(`${parent}/x`).some((p) => this.#ownLinks.has(p))) throw new Ambiguous();
    const directory = this.#lowerDirectory(parent);
    if (isOpaque(entry)) directory?.children.clear();
    else directory?.children.delete(base.slice(".wh.".length));
  }

  /** A marker does not look through a link that this layer replaces by a directory. */
  #lowerDirectory(path: ByteString): Directory | undefined {
    let at: Directory[] | undefined = [this.#root];
    for (const step of path === "" ? [] : parentsOf(`${path}/x`)) {
      const name = step.slice(step.lastIndexOf("/") + 1);
      const isDirectory = at.at(-1)?.children.get(name)?.kind === "directory";
      if (!isDirectory && this.#described.has(step)) return undefined;
      at = this.#follow(at, { path: name, make: false });
      if (!at) return undefined;
    }
    return at.at(-1);
  }

  #add(entry: LayerEntry, hardLinked: Leaf | undefined): void {
    const parts = entry.name.split("/");
    const base = parts.pop() ?? "";
    let at: Directory[] = [this.#root];
    for (const name of parts) at = this.#follow(at, { path: name, make: true }) ?? at;
    const parent = at.at(-1) ?? this.#root;
    for (const directory of at) this.#used.add(directory);
    const before = parent.children.get(base);
    if (entry.type === "5" && before?.kind === "directory") {
      setMetadata(before, entry);
      return;
    }
    if (before && [...walk(before)].some(([, node]) => this.#used.has(node))) throw new Ambiguous();
    if (entry.type === "5") {
      const made = newDirectory();
      setMetadata(made, entry);
      parent.children.set(base, made);
    } else {
      parent.children.set(base, hardLinked ?? leafOf(entry));
    }
  }

  #leafAt(path: ByteString): Leaf | undefined {
    const slash = path.lastIndexOf("/");
    const at = this.#follow([this.#root], { path: path.slice(0, Math.max(slash, 0)), make: false });
    const node = at?.at(-1)?.children.get(path.slice(slash + 1));
    return node === undefined || node.kind === "directory" ? undefined : node;
  }

  /** The directories from the root to the one that `path` leads to from `start`. */
  #follow(
    start: readonly Directory[],
    { path, make }: { path: ByteString; make: boolean },
  ): Directory[] | undefined {
    let at = [...start];
    const rest = path.split("/");
    for (let links = 0; rest.length > 0; ) {
      const name = rest.shift() ?? "";
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (at.length > 1) at.pop();
        continue;
      }
      const here = at.at(-1) ?? this.#root;
      const next = here.children.get(name);
      if (next?.kind === "symlink") {
        if (++links > 40) throw new Refused("a loop of links");
        if (make) for (const node of [...at, next]) this.#used.add(node);
        const target = next.entry.linkName ?? "";
        if (target.startsWith("/")) at = [this.#root];
        rest.unshift(...target.split("/"));
      } else if (next?.kind === "directory") {
        at.push(next);
      } else {
        if (!make) return undefined;
        const made = newDirectory();
        here.children.set(name, made);
        at.push(made);
      }
    }
    return at;
  }
}

function setMetadata(directory: Directory, { mode = 0o755, mtime = 0 }: LayerEntry): void {
  directory.mode = mode;
  directory.mtime = mtime;
}

function isMarker({ name }: LayerEntry): boolean {
  return name.slice(name.lastIndexOf("/") + 1).startsWith(".wh.");
}

function isOpaque({ name }: LayerEntry): boolean {
  return name.endsWith(".wh..wh..opq");
}

/** `a/b/c` → `a`, `a/b`. */
function parentsOf(path: ByteString): ByteString[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/")).filter((p) => p !== "");
}

function byPath(a: LayerEntry, b: LayerEntry): number {
  const [x, y] = [a.name.split("/"), b.name.split("/")];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const [p = "", q = ""] = [x[i], y[i]];
    if (p !== q) return p < q ? -1 : 1;
  }
  return x.length - y.length;
}
