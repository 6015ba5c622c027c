import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  createRing,
  type RingMemory,
  RingReader,
  type RingShape,
  RingWriter,
  stopRing,
} from "../../src/host/block-ring.js";
import { WorkStopped } from "../../src/host/work-stopped.js";
import { randomNumbers } from "../support/random-numbers.js";
import { type ThreadModules, useThreads } from "../support/threads.js";

const threads = useThreads(["writer", "first", "second", "third"]);
const small: RingShape = { blocks: 3, input: 4, output: 16, readers: 1 };

/** Fills the next block with texts. */
function put(writer: RingWriter, texts: { input?: string; output?: string }): void {
  const { input = "", output = "" } = texts;
  const block = writer.next();
  block.input.write(input, "latin1");
  block.output.write(output, "latin1");
  writer.publish({ input: input.length, output: output.length });
}

function take(reader: RingReader): { input: string; output: string } | undefined {
  const block = reader.next();
  return block && { input: block.input.toString(), output: block.output.toString() };
}

describe("a ring on one thread", () => {
  test("gives every reader all blocks, in order, as far as they were filled", () => {
    const ring = createRing({ ...small, readers: 2 });
    const writer = new RingWriter(ring);
    const readers = [new RingReader(ring, 0), new RingReader(ring, 1)];
    for (let round = 0; round < 10; round++) {
      put(writer, { input: "in", output: `round ${round}` });
      put(writer, { output: "full to the end." });
      put(writer, { input: "full" });
      for (const reader of readers) {
        expect(take(reader)).toEqual({ input: "in", output: `round ${round}` });
        expect(take(reader)).toEqual({ input: "", output: "full to the end." });
        expect(take(reader)).toEqual({ input: "full", output: "" });
        for (let block = 0; block < 3; block++) reader.release();
      }
    }
  });

  test("keeps the areas of its blocks apart", () => {
    const writer = new RingWriter(createRing(small));
    const blocks = [0, 1, 2].map((value) => {
      const block = writer.next();
      block.input.fill(10 * value + 1);
      block.output.fill(10 * value + 2);
      writer.publish({ input: 4, output: 16 });
      return block;
    });
    for (const [value, { input, output }] of blocks.entries()) {
      expect(input).toEqual(Buffer.alloc(4, 10 * value + 1));
      expect(output).toEqual(Buffer.alloc(16, 10 * value + 2));
    }
  });

  test("gives its writer the same block until it is published", () => {
    const writer = new RingWriter(createRing(small));
    writer.next().output.write("kept");
    expect(writer.next().output.toString("latin1", 0, 4)).toBe("kept");
  });

  test("ends for each reader after the last block, and stays at its end", () => {
    const ring = createRing(small);
    const writer = new RingWriter(ring);
    const reader = new RingReader(ring, 0);
    put(writer, { output: "last" });
    writer.end();
    expect(take(reader)?.output).toBe("last");
    expect(take(reader)).toBeUndefined();
    expect(take(reader)).toBeUndefined();
  });

  test("that fails gives all blocks before, and then says so", () => {
    const ring = createRing(small);
    const writer = new RingWriter(ring);
    const reader = new RingReader(ring, 0);
    put(writer, { output: "before" });
    writer.fail();
    expect(take(reader)?.output).toBe("before");
    expect(() => reader.next()).toThrow(WorkStopped);
    expect(() => reader.next()).toThrow(WorkStopped);
  });

  test("that is stopped gives nobody anything, also what was there", () => {
    const ring = createRing(small);
    const writer = new RingWriter(ring);
    const reader = new RingReader(ring, 0);
    put(writer, { output: "unread" });
    reader.checkStopped();
    stopRing(ring);
    for (const act of [
      () => writer.next(),
      () => writer.end(),
      () => writer.fail(),
      () => reader.next(),
      () => reader.checkStopped(),
      () => writer.checkStopped(),
    ]) {
      expect(act).toThrow(WorkStopped);
    }
  });
});

/** Resolves to whether the work is under way still, after it had time to end. */
async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  return await Promise.race([work.then(() => false), sleep(60, true)]);
}

describe("a ring between threads", () => {
  const fillings = [
    { what: "another block", act: "next" },
    { what: "its end", act: "end" },
    { what: "its failure", act: "fail" },
  ] as const;

  test.each(fillings)(
    "takes $what only when the slowest reader has given one back",
    async ({ act }) => {
      const ring = createRing({ ...small, readers: 2 });
      const [fast, slow] = [new RingReader(ring, 0), new RingReader(ring, 1)];
      const written = threads.writer.run(
        (modules, task) => {
          const writer = new modules.ring.RingWriter(task.ring);
          for (const text of ["one", "two", "six"]) {
            writer.next().output.write(text);
            writer.publish({ input: 0, output: 3 });
          }
          writer[task.act]();
          writer.next().output.fill("X");
        },
        { ring, act },
      );
      expect([take(fast), take(fast), take(fast)].map((block) => block?.output)).toEqual([
        "one",
        "two",
        "six",
      ]);
      for (let block = 0; block < 3; block++) fast.release();
      const first = slow.next();
      expect(await isWaiting(written)).toBe(true);
      expect(first?.output.toString()).toBe("one");
      slow.release();
      if (act !== "next") slow.release();
      await written;
      expect(first?.output.toString()).toBe(act === "next" ? "XXX" : "one");
    },
  );

  test("wakes a reader that waits for a block, for the end, for the failure", async () => {
    for (const act of ["publish", "end", "fail"] as const) {
      const ring = createRing(small);
      const writer = new RingWriter(ring);
      const read = threads.first.run((modules, task) => {
        const reader = new modules.ring.RingReader(task, 0);
        return reader.next()?.output.length;
      }, ring);
      expect(await isWaiting(read)).toBe(true);
      const start = performance.now();
      if (act === "publish") writer.publish({ input: 0, output: 7 });
      else writer[act]();
      if (act === "fail") await expect(read).rejects.toMatchObject({ name: "WorkStopped" });
      else expect(await read).toBe(act === "publish" ? 7 : undefined);
      expect(performance.now() - start).toBeLessThan(patience);
    }
  });

  test("that is stopped wakes all who wait", async () => {
    const times: number[] = [];
    for (let round = 0; round < 4; round++) {
      const ring = createRing({ ...small, readers: 3 });
      const written = threads.writer.run((modules, task) => {
        const writer = new modules.ring.RingWriter(task);
        for (;;) {
          writer.next();
          writer.publish({ input: 0, output: 0 });
        }
      }, ring);
      // They take all blocks, give none back and wait for more, and so does the writer.
      const read = [threads.first, threads.second].map((thread, number) =>
        thread.run(
          (modules, task) => {
            const reader = new modules.ring.RingReader(task.ring, task.number);
            while (reader.next());
          },
          { ring, number },
        ),
      );
      const all = [written, ...read];
      expect(await isWaiting(Promise.race(all))).toBe(true);
      const start = performance.now();
      stopRing(ring);
      for (const outcome of await Promise.allSettled(all)) {
        expect(outcome).toMatchObject({ status: "rejected", reason: { name: "WorkStopped" } });
      }
      times.push(performance.now() - start);
    }
    // Whoever is not woken looks again too, but far later.
    expect(Math.min(...times)).toBeLessThan(patience / 4);
  });

  test("carries all bytes whatever its shape, and however fast each side is", async () => {
    const random = randomNumbers(20_240_611);
    const upTo = (most: number) => 1 + Math.floor(random() * most);
    for (let round = 0; round < 40; round++) {
      const readers = [threads.first, threads.second, threads.third].slice(0, upTo(3));
      const shape = {
        blocks: upTo(6),
        input: upTo(300),
        output: upTo(3000),
        readers: readers.length,
      };
      const task = { ring: createRing(shape), count: upTo(150), seed: upTo(2 ** 30) };
      const written = threads.writer.run(writeAtRandom, { ...task, pauses: random() });
      const read = await Promise.all(
        readers.map((thread, number) => {
          const held = upTo(shape.blocks);
          return thread.run(readAtRandom, { ...task, number, held, pauses: random() });
        }),
      );
      const digest = await written;
      const told = JSON.stringify({ round, shape });
      expect(read, told).toEqual(readers.map(() => digest));
    }
  });
});

/** How long a wait goes on unlooked at, in ms: who is woken does not wait for that. */
const patience = 200;

interface RandomTask {
  readonly ring: RingMemory;
  readonly seed: number;
  /** How often to rest, from 0 to 1. */
  readonly pauses: number;
}

/** Fills blocks with noise, each of them as far as chance wants. @returns the hash of all of it */
function writeAtRandom(
  { ring, crypto }: ThreadModules,
  task: RandomTask & { readonly count: number },
): string {
  const writer = new ring.RingWriter(task.ring);
  const hash = crypto.createHash("sha256");
  const clock = new Int32Array(new SharedArrayBuffer(4));
  let state = task.seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
  for (let block = 0; block < task.count; block++) {
    const { input, output } = writer.next();
    const lengths = { input: below(input.length + 1), output: below(output.length + 1) };
    for (let at = 0; at < lengths.input; at++) input[at] = below(256);
    for (let at = 0; at < lengths.output; at++) output[at] = below(256);
    hash.update(`${lengths.input} ${lengths.output} `);
    hash.update(input.subarray(0, lengths.input)).update(output.subarray(0, lengths.output));
    if (below(1000) < 200 * task.pauses) Atomics.wait(clock, 0, 0, below(3));
    writer.publish(lengths);
  }
  writer.end();
  return hash.digest("hex");
}

/** Hashes all blocks, each of them only when it holds so many that it has to give one back. */
function readAtRandom(
  { ring, crypto }: ThreadModules,
  task: RandomTask & { readonly number: number; readonly held: number },
): string {
  const reader = new ring.RingReader(task.ring, task.number);
  const hash = crypto.createHash("sha256");
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const held: { input: Buffer; output: Buffer }[] = [];
  const giveBack = () => {
    const block = held.shift();
    if (!block) return;
    hash.update(`${block.input.length} ${block.output.length} `);
    hash.update(block.input).update(block.output);
    reader.release();
  };
  for (let block = reader.next(); block; block = reader.next()) {
    held.push(block);
    if (Math.random() < 0.2 * task.pauses) Atomics.wait(clock, 0, 0, 3 * Math.random());
    if (held.length >= task.held) giveBack();
  }
  while (held.length > 0) giveBack();
  return hash.digest("hex");
}
