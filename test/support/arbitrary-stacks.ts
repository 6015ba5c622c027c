import * as fc from "fast-check";
import { type ByteString, displayPath } from "../../src/host/byte-string.js";
import { isMarker, isWithin, join, markerOf, nameOf } from "./layer-names.js";
import {
  directory,
  file,
  hardLink,
  type LayerEntry,
  type LayerForm,
  opaque,
  symlink,
  whiteout,
} from "./layers.js";

/** A layer's entries, in the order of its archive, and how that is written down. */
export interface StackLayer {
  readonly entries: readonly LayerEntry[];
  readonly form: LayerForm;
}

/** Layers, the base first. The same object twice is a layer that comes twice. */
export type Stack = readonly StackLayer[];

/*
 * Few names, so that entries meet; all kinds of entries in any order, most of all those that take
 * away or replace. Everything shrinks: to fewer layers and entries, to files called `a`.
 */
export function stacks(): fc.Arbitrary<Stack> {
  const layer = weighted<DraftLayer | { readonly again: number }>(
    [12, fc.record({ drafts: drafts(), form: forms() })],
    [1, fc.record({ again: fc.nat(4) })],
  );
  return fc.array(layer, { minLength: 1, maxLength: 5, size: "max" }).map(build);
}

/** An entry; a hard link instead says which of the files before it it is to. */
type Draft = LayerEntry | { readonly name: ByteString; readonly aim: number };

interface DraftLayer {
  readonly drafts: readonly Draft[];
  readonly form: LayerForm;
}

function build(layers: readonly (DraftLayer | { readonly again: number })[]): Stack {
  const stack: StackLayer[] = [];
  const files = new FileNames();
  for (const [number, layer] of layers.entries()) {
    if ("again" in layer) {
      const before = stack[layer.again % Math.max(1, stack.length)];
      if (before) stack.push(before);
      continue;
    }
    const entries = layer.drafts.map((draft, i) => {
      // No two files are alike, so that none is taken for another.
      const content = `${number}.${i}`;
      const entry = "aim" in draft ? files.linkTo(draft) : draft;
      files.add(entry);
      return entry.type === "0" && !isMarker(entry) ? { ...entry, content } : entry;
    });
    files.hide(entries);
    stack.push({ entries, form: layer.form });
  }
  // What is left of a layer that shrinks; of those without entries there is a test in extract/.
  return stack.filter(({ entries }) => entries.length > 0);
}

/** What hard links can be to, as far as names alone tell. */
class FileNames {
  #names: readonly ByteString[] = [];

  add(entry: LayerEntry): void {
    if (isMarker(entry)) return;
    const name = nameOf(entry);
    this.#names = this.#names.filter((other) => !isWithin(other, name) && !isWithin(name, other));
    if (entry.type !== "5") this.#names = [name, ...this.#names];
  }

  /** A layer has ended: what its markers hide is there for links of the same layer alone. */
  hide(entries: readonly LayerEntry[]): void {
    for (const { directory, name } of entries.flatMap((entry) => markerOf(entry) ?? [])) {
      const hidden = name === undefined ? directory : join(directory, name);
      this.#names = this.#names.filter((other) => !isWithin(other, hidden));
    }
  }

  linkTo({ name, aim }: { name: ByteString; aim: number }): LayerEntry {
    const isApart = (other: ByteString) => !other.startsWith(`${name}/`) && !isWithin(name, other);
    const targets = this.#names.filter(isApart);
    const target = targets[aim % Math.max(1, targets.length)];
    return target === undefined ? file(name, "") : hardLink(name, target);
  }
}

type Weighted<Value> = readonly [weight: number, arbitrary: fc.Arbitrary<Value>];

/** One of several; shrinks to what comes first. */
function weighted<Value>(...choices: readonly Weighted<Value>[]): fc.Arbitrary<Value> {
  const all = choices.map(([weight, arbitrary]) => ({ weight, arbitrary }));
  return fc.oneof({ withCrossShrink: true }, ...all);
}

function forms(): fc.Arbitrary<LayerForm> {
  return fc.record({
    names: fc.constantFrom("pax if long", "pax", "gnu"),
    // Compressing takes longer than all the rest.
    compression: weighted([9, fc.constant("none" as const)], [1, fc.constant("gzip" as const)]),
  });
}

const longName: ByteString = "long".repeat(30);

/** Paths of up to so many names, one after another with the given weights. */
function paths(...weights: readonly number[]): fc.Arbitrary<ByteString> {
  const name = weighted(
    [30, fc.constantFrom("a", "b", "c", "d")],
    [1, fc.constantFrom("\xff", longName)],
  );
  const ofDepth = weights.map((weight, i): Weighted<ByteString> => {
    const parts = fc.tuple(name, ...Array.from({ length: i }, () => name));
    return [weight, parts.map((all) => all.join("/"))];
  });
  return weighted(...ofDepth);
}

/** The same path in other words. */
const spellings: readonly ((path: ByteString) => ByteString)[] = [
  (path) => `./${path}`,
  (path) => `/${path}`,
  (path) => `.//${path.replaceAll("/", "//./")}`,
];

function names(...weights: readonly number[]): fc.Arbitrary<ByteString> {
  const spelling = weighted(
    [4, fc.constant((path: ByteString) => path)],
    [1, fc.constantFrom(...spellings)],
  );
  return fc.tuple(paths(...weights), spelling).map(([path, spell]) => spell(path));
}

function linkTargets(): fc.Arbitrary<ByteString> {
  const odd = fc.constantFrom("/", ".", "..", "../..", "a/..", "/b/../c", "nowhere/x");
  const start = fc.constantFrom("", "/", "../", "../../", "./");
  const usual = fc.tuple(start, paths(2, 1)).map(([before, path]) => before + path);
  return weighted([4, usual], [1, odd]);
}

const mtimes = fc.constantFrom(0, 7, 1_700_000_000, 1_700_000_000.123456, -9);
const fileModes = fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o000);
const directoryModes = fc.constantFrom(0o755, 0o700, 0o555, 0o1777, 0o2775);

/** Directories above, files below, so that not every entry takes another's place. */
const deep = [1, 3, 2] as const;
const shallow = [3, 2, 1] as const;

function drafts(): fc.Arbitrary<readonly Draft[]> {
  const files = fc
    .tuple(names(...deep), fc.record({ mode: fileModes, mtime: mtimes }))
    .map(([path, details]) => file(path, "", details));
  const slash = fc.constantFrom("", "/");
  const directoryDetails = fc.record({ mode: directoryModes, mtime: mtimes });
  const directories = fc
    .tuple(names(...shallow), slash, directoryDetails)
    .map(([path, end, details]) => directory(path + end, details));
  const roots = fc
    .tuple(fc.constantFrom("./", "/", "."), directoryDetails)
    .map(([path, details]) => directory(path, details));
  const symlinks = fc
    .tuple(names(...shallow), linkTargets(), fc.record({ mtime: mtimes }))
    .map(([path, target, details]) => symlink(path, target, details));
  const hardLinks = fc.record({ name: names(...deep), aim: fc.nat(5) });
  const strayLinks = fc
    .tuple(names(...deep), names(...deep))
    .map(([path, target]) => hardLink(path, target));
  const specials = fc
    .tuple(fc.constantFrom("3", "4", "6"), names(...deep))
    .map(([type, name]): LayerEntry => ({ type, name }));
  const housekeeping = fc
    .constantFrom(".wh..wh.aufs", "a/.wh..wh..tmp")
    .map((path) => file(path, ""));
  return fc.array(
    weighted<Draft>(
      [24, files],
      [18, directories],
      [16, symlinks],
      [16, names(...shallow).map(whiteout)],
      [9, hardLinks],
      [8, names(...shallow).map(opaque)],
      [4, specials],
      [2, roots],
      [1, strayLinks],
      [1, fc.constant(opaque(""))],
      [1, housekeeping],
    ),
    { maxLength: 10, size: "max" },
  );
}

const kinds: Readonly<Record<LayerEntry["type"], string>> = {
  "0": "file",
  "1": "hard link",
  "2": "link",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "fifo",
};

/** A stack for people to read. */
export function shownStack(stack: Stack): string {
  const lines = stack.flatMap(({ entries, form }, i) => {
    const first = stack.findIndex((layer) => layer.entries === entries);
    if (first < i) return [`layer ${i}: layer ${first} again`];
    return [`layer ${i} (${form.names}, ${form.compression}):`, ...entries.map(shownEntry)];
  });
  return lines.join("\n");
}

function shownEntry(entry: LayerEntry): string {
  const { type, name, linkName, mode = 0o644, mtime = 0 } = entry;
  const target = linkName === undefined ? "" : ` -> ${displayPath(linkName)}`;
  const kind = isMarker(entry) ? "marker" : kinds[type];
  return `  ${kind} ${displayPath(name)}${target} (${mode.toString(8)}, ${mtime})`;
}
