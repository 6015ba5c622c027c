import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { FileFinish } from "../../../src/extract/file-content.js";
import {
  carryOutOrders,
  createFillQueue,
  QueuedFiller,
} from "../../../src/extract/pipeline/fill-queue.js";
import { createRing, RingReader, RingWriter, stopRing } from "../../../src/host/block-ring.js";
import { WorkStopped } from "../../../src/host/work-stopped.js";
import { openFiles } from "../../support/open-files.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { useThreads } from "../../support/threads.js";

const threads = useThreads(["fill", "write"]);
const finish: FileFinish = { mtime: 1_000_000.25, mode: undefined, owner: undefined };

/** How many orders a queue holds. */
const capacity = 128;

/** A queue for pieces of one block of noise. */
function setUp(size = 256 * 1024) {
  const ring = createRing({ blocks: 1, input: 0, output: size, readers: 1 });
  const queue = createFillQueue();
  const noise = Buffer.from(ring.data);
  for (let at = 0; at < size; at++) noise[at] = Math.imul(at + 1, 0x9e3779b1) >>> 24;
  new RingWriter(ring).publish({ input: 0, output: size });
  const source = { ring: new RingReader(ring, 0), data: ring.data };
  // A test that fails leaves no thread waiting.
  onTestFinished(() => stopRing(ring));
  return { ring, queue, noise, source, filler: new QueuedFiller(queue, source) };
}

type SetUp = ReturnType<typeof setUp>;

/** Carries out the orders in a thread, after so many ms. */
function carryOut({ ring, queue }: SetUp, delay = 0): Promise<void> {
  const work = threads.fill.run(
    (modules, task) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, task.delay);
      const reader = new modules.ring.RingReader(task.ring, 0);
      modules.queue.carryOutOrders(task.queue, { ring: reader, data: task.ring.data });
    },
    { ring, queue, delay },
  );
  work.catch(() => undefined);
  return work;
}

/** Gives a file's content in pieces of the given lengths, one after another of the noise. */
function pieces({ noise }: SetUp, lengths: readonly number[]) {
  let at = 0;
  const rest = [...lengths];
  const content = () => {
    const from = at;
    at += rest.shift() ?? 0;
    return noise.subarray(from, at);
  };
  return { content, size: lengths.reduce((sum, length) => sum + length, 0), finish };
}

function create(path: string): number {
  return openSync(path, "wx", 0o644);
}

/** A pipe that takes nothing once it is full: whoever writes to it waits until it is read. */
function makePipe() {
  const path = `${scratchDirectory()}/pipe`;
  execFileSync("mkfifo", [path]);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reading));
  return { path, reading, writing: openSync(path, constants.O_WRONLY) };
}

async function readAll(fd: number, length: number): Promise<Buffer> {
  const all = Buffer.alloc(length);
  for (let at = 0; at < length; await sleep(1)) {
    try {
      at += readSync(fd, all, at, length - at, null);
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
    }
  }
  return all;
}

describe("files that are ordered", () => {
  test("get their content, however many pieces it comes in, and their time, and are closed", async () => {
    const before = openFiles();
    const at = setUp();
    const done = carryOut(at);
    const directory = scratchDirectory();
    const files = [[], [1], [512], [100, 200, 300], [65_536, 1, 65_536], [262_144]];
    for (const [number, lengths] of files.entries()) {
      at.filler.fill(create(`${directory}/${number}`), pieces(at, lengths));
    }
    at.filler.end();
    await done;
    for (const [number, lengths] of files.entries()) {
      const { size } = pieces(at, lengths);
      const content = readFileSync(`${directory}/${number}`);
      expect(content.equals(at.noise.subarray(0, size)), `file ${number}`).toBe(true);
      expect(statSync(`${directory}/${number}`).mtimeMs).toBe(1_000_000_250);
    }
    expect(openFiles()).toBe(before);
  });

  test("get their mode and owner where they are said", async () => {
    const at = setUp();
    const done = carryOut(at);
    const path = `${scratchDirectory()}/file`;
    const ids = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    const owner = ids.uid === 0 ? { uid: 12, gid: 34 } : ids;
    const fd = create(path);
    chmodSync(path, 0o600);
    at.filler.fill(fd, { ...pieces(at, [5]), finish: { mtime: -1, mode: 0o4751, owner } });
    at.filler.end();
    await done;
    const { mode, uid, gid, mtimeMs } = statSync(path);
    expect({ mode: mode & 0o7777, uid, gid, mtimeMs }).toEqual({
      ...owner,
      mode: 0o4751,
      mtimeMs: -1000,
    });
  });

  test("may be many more than can be under way, and no more than that are open at once", async () => {
    const before = openFiles();
    const at = setUp();
    const done = carryOut(at, 200);
    const directory = scratchDirectory();
    for (let file = 0; file < 1000; file++) {
      at.filler.fill(create(`${directory}/${file}`), pieces(at, [file % 600]));
      if (file === capacity - 1) expect(openFiles()).toBe(before + capacity);
      else if (file % 90 === 0) expect(openFiles()).toBeLessThanOrEqual(before + capacity);
    }
    at.filler.end();
    await done;
    expect(openFiles()).toBe(before);
    for (let file = 0; file < 1000; file++) {
      const expected = at.noise.subarray(0, file % 600);
      expect(readFileSync(`${directory}/${file}`).equals(expected), `file ${file}`).toBe(true);
    }
  });

  test("are complete and closed once all is settled, and others may follow", async () => {
    const before = openFiles();
    const at = setUp();
    const done = carryOut(at, 30);
    const directory = scratchDirectory();
    for (const round of [1, 2, 300, 4]) {
      for (let file = 0; file < round; file++) {
        at.filler.fill(create(`${directory}/${round}-${file}`), pieces(at, [file, 10]));
      }
      at.filler.settle();
      expect(openFiles()).toBe(before);
      for (let file = 0; file < round; file++) {
        expect(statSync(`${directory}/${round}-${file}`).size).toBe(file + 10);
      }
    }
    at.filler.end();
    await done;
  });

  test("have their content in the ring, and nowhere else", () => {
    const at = setUp();
    const fd = create(`${scratchDirectory()}/file`);
    onTestFinished(() => closeSync(fd));
    const content = () => Buffer.from("elsewhere");
    expect(() => at.filler.fill(fd, { content, size: 9, finish })).toThrow(TypeError);
  });
});

describe("a block", () => {
  test("is given back only when all that was ordered from it is written", async () => {
    const at = setUp();
    const pipe = makePipe();
    const done = carryOut(at);
    at.filler.fill(pipe.writing, pieces(at, [100_000, 162_144]));
    at.filler.releaseBlock();
    const overwritten = threads.write.run((modules, ring) => {
      const writer = new modules.ring.RingWriter(ring);
      writer.publish({ input: 0, output: 0 });
      writer.next().output.fill(0xff);
    }, at.ring);
    const expected = Buffer.from(at.noise);
    expect(await Promise.race([overwritten, sleep(100, "not yet")])).toBe("not yet");
    // One who waits for a whole block is nearly there: what is left fits into the pipe.
    const first = await readAll(pipe.reading, 131_072);
    expect(await Promise.race([overwritten, sleep(100, "not yet")])).toBe("not yet");
    const rest = await readAll(pipe.reading, 131_072);
    await overwritten;
    expect(Buffer.concat([first, rest]).equals(expected)).toBe(true);
    at.filler.end();
    await done;
  });
});

/** A ring's reader that lets the other side go on whenever this one is about to wait for it. */
class HookedReader extends RingReader {
  hook: () => void = () => undefined;

  override checkStopped(): void {
    this.hook();
    super.checkStopped();
  }
}

describe("the end", () => {
  test("is no failure when the other side reaches it while this one looks", () => {
    const before = openFiles();
    const at = setUp();
    const reader = new HookedReader(at.ring, 0);
    const filler = new QueuedFiller(at.queue, { ring: reader, data: at.ring.data });
    const path = `${scratchDirectory()}/file`;
    filler.fill(create(path), pieces(at, [10, 20]));
    reader.hook = () => {
      reader.hook = () => undefined;
      carryOutOrders(at.queue, at.source);
    };
    filler.end();
    expect(statSync(path).size).toBe(30);
    expect(openFiles()).toBe(before);
  });

  test("comes to both sides, time and again", async () => {
    for (let round = 0; round < 200; round++) {
      const at = setUp(64);
      const done = carryOut(at);
      const file = openSync("/dev/null", "w");
      at.filler.fill(file, { ...pieces(at, [1]), finish });
      at.filler.end();
      await done;
    }
  });
});

describe("a write that fails", () => {
  test("ends both sides, and nothing stays open", async () => {
    const before = openFiles();
    const at = setUp();
    const directory = scratchDirectory();
    const done = carryOut(at, 30);
    for (let file = 0; file < 50; file++) {
      at.filler.fill(create(`${directory}/${file}`), pieces(at, [100]));
    }
    at.filler.fill(openSync("/dev/full", "w"), pieces(at, [100, 100]));
    for (let file = 50; file < 70; file++) {
      at.filler.fill(create(`${directory}/${file}`), pieces(at, [100]));
    }
    expect(() => at.filler.settle()).toThrow(WorkStopped);
    await expect(done).rejects.toMatchObject({ code: "ENOSPC" });
    at.filler.abandon();
    expect(openFiles()).toBe(before);
    expect(statSync(`${directory}/49`).size).toBe(100);
    expect(statSync(`${directory}/50`).size).toBe(0);
  });

  test("is noticed by one who waits for a place in the queue", async () => {
    const before = openFiles();
    const at = setUp();
    const done = carryOut(at, 30);
    const fillOne = () => at.filler.fill(openSync("/dev/full", "w"), pieces(at, [1]));
    const start = performance.now();
    expect(() => {
      for (let file = 0; file < 1000; file++) fillOne();
    }).toThrow(WorkStopped);
    expect(performance.now() - start).toBeLessThan(1000);
    await expect(done).rejects.toMatchObject({ code: "ENOSPC" });
    at.filler.abandon();
    expect(openFiles()).toBe(before);
  });
});

describe("work that is abandoned", () => {
  const unfinished = [
    { what: "nothing ordered", files: 0, done: 0 },
    { what: "orders that wait", files: 100, done: 0 },
    { what: "orders that were carried out", files: 60, done: 60 },
    { what: "some that were and some that wait", files: 100, done: 30 },
    { what: "more orders than places", files: 300, done: 250 },
  ];

  test.each(unfinished)("with $what leaves no descriptor", async ({ files, done }) => {
    const before = openFiles();
    const at = setUp();
    const directory = scratchDirectory();
    const carriedOut = carryOut(at);
    for (let file = 0; file < done; file++) {
      at.filler.fill(create(`${directory}/${file}`), pieces(at, [10, 10]));
    }
    if (done > 0) {
      while (statSync(`${directory}/${done - 1}`).size < 20) {
        at.filler.releaseBlock();
        await sleep(1);
      }
    }
    stopRing(at.ring);
    await expect(carriedOut).rejects.toMatchObject({ name: "WorkStopped" });
    for (let file = done; file < files; file++) {
      at.filler.fill(create(`${directory}/${file}`), pieces(at, [10]));
    }
    at.filler.abandon();
    expect(openFiles()).toBe(before);
  });

  test("in the middle of a file closes that too", async () => {
    const before = openFiles();
    const at = setUp();
    const done = carryOut(at);
    const path = `${scratchDirectory()}/file`;
    let piece = 0;
    const content = () => {
      if (piece++ < 3) return at.noise.subarray(0, 10);
      throw new Error("the archive is cut");
    };
    expect(() => at.filler.fill(create(path), { content, size: 100, finish })).toThrow(/is cut/);
    stopRing(at.ring);
    at.filler.abandon();
    expect(openFiles()).toBe(before);
    await expect(done).rejects.toMatchObject({ name: "WorkStopped" });
  });

  test("closes no file that is still written to", async () => {
    const at = setUp();
    const pipe = makePipe();
    const done = carryOut(at);
    at.filler.fill(pipe.writing, pieces(at, [262_144]));
    at.filler.releaseBlock();
    await sleep(50);
    stopRing(at.ring);
    const reader = spawn("sh", ["-c", 'sleep 0.3; head -c 262144 "$0" | md5sum', pipe.path]);
    const start = performance.now();
    at.filler.abandon();
    expect(performance.now() - start).toBeGreaterThan(250);
    expect(() => fstatSync(pipe.writing)).toThrow(/EBADF/);
    await expect(done).rejects.toMatchObject({ name: "WorkStopped" });
    reader.kill();
  });

  test("closes no descriptor twice, also when closing it failed", async () => {
    const at = setUp();
    const done = carryOut(at);
    const directory = scratchDirectory();
    const lost = create(`${directory}/lost`);
    at.filler.fill(lost, pieces(at, [10]));
    at.filler.fill(create(`${directory}/other`), pieces(at, [10]));
    at.filler.releaseBlock();
    while (statSync(`${directory}/other`).mtimeMs !== 1_000_000_250) await sleep(1);
    closeSync(lost);
    const before = openFiles();
    expect(() => at.filler.settle()).toThrow(/EBADF/);
    const another = create(`${directory}/another`);
    onTestFinished(() => closeSync(another));
    expect(another).toBe(lost);
    stopRing(at.ring);
    at.filler.abandon();
    expect(fstatSync(another).size).toBe(0);
    expect(openFiles()).toBe(before);
    await expect(done).rejects.toMatchObject({ name: "WorkStopped" });
  });
});
