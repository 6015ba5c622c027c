import type { Change, MutatorOptions, Mutators } from "./mutator.js";

const interestingBytes = [0x00, 0x01, 0x20, 0x2e, 0x2f, 0x30, 0x37, 0x7f, 0x80, 0xfe, 0xff];
const interestingWords = [0, 1, 0x7f, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** For bytes of any kind. */
export const byteMutators: Mutators = {
  "flip bits": (bytes, { dice }) => {
    const changed = Buffer.from(bytes);
    const places = Array.from({ length: dice.few(8) }, () => dice.below(bytes.length));
    for (const at of places) changed[at] = (changed[at] ?? 0) ^ (1 << dice.below(8));
    return { bytes: changed, said: `a bit flipped at each of ${places.join(", ")}` };
  },
  "set bytes": (bytes, { dice }) => {
    const changed = Buffer.from(bytes);
    const at = dice.below(bytes.length);
    const count = dice.few(16);
    const value = dice.pick(interestingBytes);
    changed.fill(value, at, Math.min(at + count, bytes.length));
    return { bytes: changed, said: `${count} bytes from ${at} set to ${value}` };
  },
  "set a word": (bytes, { dice }) => {
    const changed = Buffer.from(bytes);
    const at = dice.below(bytes.length - 4);
    const value = dice.pick(interestingWords);
    if (bytes.length >= 4) {
      if (dice.chance(0.5)) changed.writeUInt32LE(value, at);
      else changed.writeUInt32BE(value, at);
    }
    return { bytes: changed, said: `the four bytes at ${at} set to ${value}` };
  },
  truncate: (bytes, { dice }) => {
    const length = dice.below(bytes.length);
    return { bytes: bytes.subarray(0, length), said: `cut after ${length} bytes` };
  },
  "remove bytes": (bytes, { dice }) => {
    const { from, to } = range(bytes, dice);
    return { bytes: joined(bytes.subarray(0, from), bytes.subarray(to)), said: told(from, to) };
  },
  "repeat bytes": (bytes, { dice }) => {
    const { from, to } = range(bytes, dice);
    const times = 1 + dice.below(20);
    const copies = Array.from({ length: times }, () => bytes.subarray(from, to));
    const whole = joined(bytes.subarray(0, to), ...copies, bytes.subarray(to));
    return { bytes: whole, said: `bytes ${from} to ${to} repeated ${times} times` };
  },
  "insert bytes": (bytes, { dice }) => {
    const at = dice.below(bytes.length + 1);
    const inserted = Buffer.from(Array.from({ length: dice.few(40) }, () => dice.below(256)));
    const whole = joined(bytes.subarray(0, at), inserted, bytes.subarray(at));
    return { bytes: whole, said: `${inserted.toString("hex")} inserted at ${at}` };
  },
  splice,
};

function splice(bytes: Buffer, { dice, donor }: MutatorOptions): Change {
  const head = dice.below(bytes.length + 1);
  const tail = dice.below(donor.length + 1);
  return {
    bytes: joined(bytes.subarray(0, head), donor.subarray(tail)),
    said: `the first ${head} bytes, then another's from ${tail} on`,
  };
}

function range(bytes: Buffer, dice: MutatorOptions["dice"]): { from: number; to: number } {
  const from = dice.below(bytes.length);
  return { from, to: Math.min(from + dice.pick([1, 2, 7, 64, 512, 1000]), bytes.length) };
}

function joined(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}

function told(from: number, to: number): string {
  return `bytes ${from} to ${to} removed`;
}
