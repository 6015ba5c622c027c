import { blockSize } from "../../src/oci/tar/header.js";
import type { Dice } from "./dice.js";
import type { Mutator, Mutators } from "./mutator.js";

/** For tar archives, which consist of blocks. */
export const blockMutators: Mutators = {
  "remove blocks": onBlocks(({ blocks, from, to }) => ({
    blocks: [...blocks.slice(0, from), ...blocks.slice(to)],
    said: `blocks ${from} to ${to} removed`,
  })),
  "repeat blocks": onBlocks(({ blocks, from, to }) => ({
    blocks: [...blocks.slice(0, to), ...blocks.slice(from, to), ...blocks.slice(to)],
    said: `blocks ${from} to ${to} repeated`,
  })),
  "swap blocks": onBlocks(({ blocks, from, dice }) => {
    const other = dice.below(blocks.length);
    const swapped = [...blocks];
    const [a, b] = [blocks[from], blocks[other]];
    if (a && b) {
      swapped[from] = b;
      swapped[other] = a;
    }
    return { blocks: swapped, said: `blocks ${from} and ${other} swapped` };
  }),
  "insert zeros": onBlocks(({ blocks, from, dice }) => {
    const count = 1 + dice.below(3);
    const zeros = Array.from({ length: count }, () => Buffer.alloc(blockSize));
    return {
      blocks: [...blocks.slice(0, from), ...zeros, ...blocks.slice(from)],
      said: `${count} blocks of zeros at block ${from}`,
    };
  }),
  "truncate at a block": onBlocks(({ blocks, from }) => ({
    blocks: blocks.slice(0, from),
    said: `cut after ${from} blocks`,
  })),
  "splice at blocks": (bytes, { dice, donor }) => {
    const head = dice.below(bytes.length / blockSize + 1) * blockSize;
    const tail = dice.below(donor.length / blockSize + 1) * blockSize;
    const spliced = Buffer.concat([bytes.subarray(0, head), donor.subarray(tail)]);
    return { bytes: spliced, said: `${head} bytes, then another's from ${tail} on` };
  },
};

interface BlockPlace {
  readonly blocks: readonly Buffer[];
  readonly from: number;
  readonly to: number;
  readonly dice: Dice;
}

function onBlocks(
  edit: (place: BlockPlace) => { blocks: readonly Buffer[]; said: string },
): Mutator {
  return (archive, { dice }) => {
    const count = Math.ceil(archive.length / blockSize);
    const blocks = Array.from({ length: count }, (_, i) =>
      archive.subarray(i * blockSize, (i + 1) * blockSize),
    );
    const from = dice.below(count);
    const change = edit({ blocks, from, to: Math.min(count, from + dice.few(5)), dice });
    return { bytes: Buffer.concat(change.blocks), said: change.said };
  };
}
