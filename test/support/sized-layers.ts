import * as fc from "fast-check";
import { Dice } from "../fuzz/dice.js";
import { stacks } from "./arbitrary-stacks.js";
import { directory, file, hardLink, type LayerEntry, symlink, whiteout } from "./layers.js";
import { randomNumbers } from "./random-numbers.js";

/** The size that content is made for: where blocks of memory begin and end. */
export interface SizedLayerOptions {
  readonly block: number;
  /** Bytes of content in all, at most; a bit more where a file reaches beyond. */
  readonly most: number;
}

/**
 * Entries whose content lies across blocks in all ways: files as long as a few blocks and a bit more
 * or less, crowds of tiny ones, and in between what makes one file another or none: links to it, a
 * second entry of its name, a directory in its place.
 */
export function sizedLayer(
  seed: number,
  { block, most }: SizedLayerOptions,
): readonly LayerEntry[] {
  const dice = new Dice(seed);
  const entries: LayerEntry[] = [];
  const names: string[] = [];
  let left = most;
  const details = () => ({
    mode: dice.pick([0o644, 0o600, 0o755, 0o4755, 0o444]),
    mtime: dice.pick([0, 1, 1_700_000_000, dice.below(2 ** 31), -5, 2 ** 33]),
  });
  const add = (name: string, size: number) => {
    entries.push(file(name, contentOf(dice, size), details()));
    names.push(name);
    left -= size;
  };
  const name = () => {
    // Now and then one that is taken.
    if (names.length > 0 && dice.chance(0.08)) return dice.pick(names);
    const place = dice.pick(["", "", "a/", "a/b/", "c/"]);
    return `${place}${dice.pick(["f", "g"])}${names.length}`;
  };
  const kinds: (() => void)[] = [
    () => add(name(), aroundBlocks(dice, block)),
    () => add(name(), dice.below(3 * block)),
    () => {
      const count = 1 + dice.below(dice.pick([5, 40, 300]));
      for (let i = 0; i < count; i++) add(name(), dice.below(dice.pick([1, 2, 20, 513, 1200])));
    },
    () => {
      if (names.length > 0) entries.push(hardLink(name(), dice.pick(names)));
    },
    () => entries.push(symlink(name(), dice.pick(["f0", "a", "../x"]), { mtime: dice.below(1e9) })),
    () =>
      entries.push(directory(name(), { mode: dice.pick([0o755, 0o700]), mtime: dice.below(1e9) })),
    () => entries.push(whiteout(`lower${dice.below(5)}`)),
    () => {
      const [stack] = fc.sample(stacks(), { seed: dice.seed(), numRuns: 1 });
      entries.push(...(stack?.[0]?.entries ?? []));
    },
  ];
  const count = 1 + dice.below(14);
  for (let i = 0; i < count && left > 0; i++) dice.pick([...kinds, ...kinds.slice(0, 3)])();
  return entries;
}

/** A few blocks, less or more by a bit: a tar header, a byte, nothing. */
function aroundBlocks(dice: Dice, block: number): number {
  const off = dice.pick([0, 1, -1, 511, -511, 512, -512, 1024, -1024, dice.below(512)]);
  return Math.max(0, dice.pick([1, 1, 1, 2, 3, 5]) * block + off);
}

/** Bytes that differ from those of other files and other places, half of them worth compressing. */
function contentOf(dice: Dice, size: number): Buffer {
  const content = Buffer.alloc(size, `${dice.seed()} `);
  if (dice.chance(0.5)) for (let at = 0; at + 4 <= size; at += 997) content.writeUInt32LE(at, at);
  else for (let at = 0; at < size; ) at += noise.copy(content, at, dice.below(noise.length));
  return content;
}

const noise = Buffer.from(
  Uint32Array.from({ length: 2 ** 16 }, randomUint32(randomNumbers(1))).buffer,
);

function randomUint32(random: () => number): () => number {
  return () => Math.floor(random() * 2 ** 32);
}
