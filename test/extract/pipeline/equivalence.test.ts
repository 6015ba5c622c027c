import { mkdirSync, writeFileSync } from "node:fs";
import * as zlib from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { StageError } from "../../../src/errors.js";
import { createFillQueue } from "../../../src/extract/pipeline/fill-queue.js";
import { type Stages, unpackInStages } from "../../../src/extract/pipeline/unpack-in-stages.js";
import { type UnpackLayerTask, unpackLayer } from "../../../src/extract/unpack-layer.js";
import { createRing, stopRing } from "../../../src/host/block-ring.js";
import { outputBlock } from "../../../src/host/decompress/block-filler.js";
import type { Digest } from "../../../src/oci/digest.js";
import { defaultLimits } from "../../../src/oci/limits.js";
import { byteMutators } from "../../fuzz/byte-mutators.js";
import { Dice } from "../../fuzz/dice.js";
import { packLayer, sha256, usualPolicy } from "../../support/layers.js";
import { openFiles } from "../../support/open-files.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { type SizedLayerOptions, sizedLayer } from "../../support/sized-layers.js";
import { useStageThreads } from "../../support/threaded-stages.js";
import { listing } from "../../support/tree-contents.js";
import { zstdOf } from "../../support/zstd-frames.js";

const { stages, withMemory } = useStageThreads();
const never = new AbortController().signal;

/** A layer as it is stored, and what is said of it. */
type Task = Omit<UnpackLayerTask, "tree" | "span"> & {
  readonly blob: Buffer;
  /** Bytes that are said to follow the blob. */
  readonly missing?: number;
};

type Unpack = (task: UnpackLayerTask) => Promise<unknown>;

function inStages(stages: Stages): Unpack {
  return (task) => unpackInStages(task, { stages, signal: never });
}

type Outcome =
  | { readonly record: unknown; readonly tree: readonly string[] }
  | Pick<StageError, "code" | "message" | "hint">;

/** All there is to know of how a layer was unpacked: the record and the tree, or the error. */
async function outcome({ blob, missing = 0, ...task }: Task, unpack: Unpack): Promise<Outcome> {
  const scratch = scratchDirectory();
  const tree = `${scratch}/tree`;
  const path = `${scratch}/blob`;
  mkdirSync(tree, { mode: 0o700 });
  writeFileSync(path, blob);
  const span = { path, offset: 0, size: blob.length + missing };
  const work = unpack({ ...task, span, tree });
  try {
    const record = await work;
    return { record, tree: listing(tree) };
  } catch {
    const { code, message, hint } = await rejection(work);
    return { code, message: message.replaceAll(scratch, "SCRATCH"), hint };
  }
}

const compressions: readonly ((tar: Buffer, dice: Dice) => Buffer)[] = [
  (tar) => tar,
  (tar) => zlib.gzipSync(tar, { level: 1 }),
  (tar, dice) => {
    const cut = dice.below(tar.length);
    const parts = [tar.subarray(0, cut), Buffer.alloc(0), tar.subarray(cut)];
    return Buffer.concat(parts.map((part) => zlib.gzipSync(part, { level: 1 })));
  },
  zstdOf,
];

interface Layer {
  readonly tar: Buffer;
  readonly compress: (tar: Buffer) => Buffer;
}

function randomLayer(dice: Dice, options: SizedLayerOptions): Layer {
  const tar = packLayer(sizedLayer(dice.seed(), options));
  const compress = dice.pick(compressions);
  const seed = dice.seed();
  return { tar, compress: (bytes) => compress(bytes, new Dice(seed)) };
}

function taskOf({ tar, compress }: Layer): Task {
  const blob = compress(tar);
  const digests = { diffId: sha256(tar), digest: sha256(blob) };
  return { blob, ...digests, policy: usualPolicy, limits: defaultLimits };
}

const wrong: Digest = `sha512:${"0".repeat(128)}`;

/** What is wrong with a layer, but for its compression. */
const lies: readonly ((layer: Layer, dice: Dice) => Task)[] = [
  (layer) => ({ ...taskOf(layer), diffId: wrong }),
  (layer) => ({ ...taskOf(layer), digest: wrong }),
  (layer) => ({ ...taskOf(layer), diffId: wrong, digest: null }),
  (layer, dice) => limited(layer, { entries: dice.below(20) }),
  (layer, dice) => limited(layer, { unpacked: dice.below(100_000) }),
  (layer, dice) => limited(layer, { file: dice.below(10_000) }),
  (layer) => limited(layer, { depth: 1 }),
  // Whatever the archive says then, it is what its digest says.
  ({ tar, compress }, dice) => taskOf({ compress, tar: damage(tar, dice) }),
  (layer, dice) => {
    const { tar, compress } = layer;
    return { ...taskOf(layer), blob: compress(damage(tar, dice)), digest: null };
  },
];

function limited(layer: Layer, limits: Partial<Task["limits"]>): Task {
  return { ...taskOf(layer), limits: { ...defaultLimits, ...limits } };
}

/** What is wrong with a layer's blob. */
const damages: readonly ((layer: Layer, dice: Dice) => Task)[] = [
  (layer, dice) => {
    const task = taskOf(layer);
    return { ...task, blob: damage(task.blob, dice) };
  },
  (layer, dice) => {
    const { blob, ...task } = taskOf(layer);
    return { ...task, digest: null, blob: blob.subarray(0, 16 + dice.below(blob.length)) };
  },
  (layer) => ({ ...taskOf(layer), missing: 100 }),
];

function damage(bytes: Buffer, dice: Dice): Buffer {
  const { bytes: damaged } = dice.pick(Object.values(byteMutators))(bytes, { dice, donor: bytes });
  return damaged;
}

/** Memory of so few and small blocks that they are used again all the time. */
function smallStages(dice: Dice): Stages {
  const shape = {
    blocks: 1 + dice.below(4),
    input: 1 + dice.below(5000),
    output: 512 * (1 + dice.below(8)) - dice.pick([0, 0, 1, 200]),
    readers: 2,
  };
  const ring = createRing(shape);
  onTestFinished(() => stopRing(ring));
  return withMemory({ ring, queue: createFillQueue() });
}

/** Layers for blocks as they are, and for small ones. */
const sizes = {
  large: { block: outputBlock, most: 2_000_000 },
  small: { block: 2048, most: 60_000 },
};

/** Checks that unpacking layers in stages ends as unpacking them at once does. */
async function compare(
  make: (dice: Dice) => { readonly task: Task; readonly stages?: Stages },
  { count, whole }: { count: number; whole: number },
): Promise<void> {
  const before = openFiles();
  let unpacked = 0;
  for (let seed = seeds.from; seed < seeds.from + count * seeds.times; seed++) {
    const { task, stages: own = stages } = make(new Dice(seed));
    const expected = await outcome(task, unpackLayer);
    expect(await outcome(task, inStages(own)), `seed ${seed}`).toEqual(expected);
    expect(openFiles(), `seed ${seed}`).toBe(before);
    if ("tree" in expected) unpacked++;
  }
  expect(unpacked).toBeGreaterThanOrEqual(whole);
}

const seeds = {
  from: Number(process.env["STAGE_ROOTFS_TEST_SEED"] ?? 1),
  times: Number(process.env["STAGE_ROOTFS_TEST_ROUNDS"] ?? 1),
};

describe("layers unpacked in stages are as those unpacked at once", () => {
  const { large, small } = sizes;
  const timeout = 30_000 * seeds.times;

  test("with files around the size of a block", { timeout }, async () => {
    await compare((dice) => ({ task: taskOf(randomLayer(dice, large)) }), { count: 30, whole: 15 });
  });

  test("in memory that is used again and again", { timeout }, async () => {
    const make = (dice: Dice) => {
      return { task: taskOf(randomLayer(dice, small)), stages: smallStages(dice) };
    };
    await compare(make, { count: 110, whole: 60 });
  });

  test("where they are not what is said of them", { timeout }, async () => {
    const make = (dice: Dice) => {
      const isSmall = dice.chance(0.7);
      const layer = randomLayer(dice, isSmall ? small : large);
      const task = dice.pick(lies)(layer, dice);
      return isSmall ? { task, stages: smallStages(dice) } : { task };
    };
    await compare(make, { count: 90, whole: 5 });
  });

  test("where their blobs are damaged", { timeout }, async () => {
    const make = (dice: Dice) => {
      const layer = randomLayer(dice, dice.chance(0.7) ? small : large);
      return { task: dice.pick(damages)(layer, dice) };
    };
    await compare(make, { count: 60, whole: 0 });
  });

  test("where there is nothing in them", async () => {
    for (const compress of compressions) {
      const make = (dice: Dice) => {
        return { task: taskOf({ tar: Buffer.alloc(0), compress: (tar) => compress(tar, dice) }) };
      };
      await compare(make, { count: 1, whole: 1 });
    }
  });
});
