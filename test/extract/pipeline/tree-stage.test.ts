import { openSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFillQueue, QueuedFiller } from "../../../src/extract/pipeline/fill-queue.js";
import {
  createPipelineMemory,
  readForHashing,
  readForTree,
} from "../../../src/extract/pipeline/memory.js";
import { fillFiles } from "../../../src/extract/pipeline/tree-stage.js";
import { createRing, RingWriter, stopRing } from "../../../src/host/block-ring.js";
import { WorkStopped } from "../../../src/host/work-stopped.js";
import { defaultLimits, type Limits } from "../../../src/oci/limits.js";
import { asUser } from "../../support/as-user.js";
import { file, type LayerEntry, packLayer, usualPolicy } from "../../support/layers.js";
import { openFiles } from "../../support/open-files.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { useStageThreads } from "../../support/threaded-stages.js";

const { stages } = useStageThreads();
const blockSize = 1000;

interface Attempt {
  readonly limits?: Partial<Limits>;
  /** What comes after the archive. */
  readonly ending?: "end" | "fail";
}

/** Has two threads make a tree of an archive that this one feeds to them. */
async function make(archive: Buffer, { limits, ending = "end" }: Attempt = {}) {
  const shape = { blocks: 3, input: 0, output: blockSize, readers: 2 };
  const memory = { ring: createRing(shape), queue: createFillQueue() };
  onTestFinished(() => stopRing(memory.ring));
  const tree = scratchDirectory();
  const task = { memory, tree, policy, limits: { ...defaultLimits, ...limits } };
  const work = Promise.all([stages.fillFiles({ memory, tree }), stages.makeTree(task)]);
  const writer = new RingWriter(memory.ring);
  const hashing = readForHashing(memory);
  try {
    for (let at = 0; at < archive.length; at += blockSize) {
      const output = archive.copy(writer.next().output, 0, at, at + blockSize);
      writer.publish({ input: 0, output });
      hashing.release();
    }
    writer[ending]();
  } catch (error) {
    expect(error).toBeInstanceOf(WorkStopped);
  }
  const [filled, made] = await work;
  return { tree, filled, made };
}

let policy = usualPolicy;
const stopped = { ok: false, error: "stopped" };

function files(count: number, details: Partial<LayerEntry> = {}): readonly LayerEntry[] {
  return Array.from({ length: count }, (_, i) => {
    return { ...file(`f${i}`, Buffer.alloc((i * 37) % 5000, `file ${i},`)), ...details };
  });
}

describe("a tree and the files in it", () => {
  test("are made by two threads, from memory that is used again and again", async () => {
    const before = openFiles();
    const entries = files(300);
    const { tree, filled, made } = await make(packLayer(entries));
    expect(filled.ok).toBe(true);
    expect(made).toMatchObject({ ok: true, value: { entries: 300 } });
    for (const { name, content } of entries) {
      expect(readFileSync(`${tree}/${name}`).equals(Buffer.from(content ?? "")), name).toBe(true);
    }
    expect(openFiles()).toBe(before);
  });

  const refused = [
    {
      what: "an archive that goes on after its end",
      archive: Buffer.concat([packLayer(files(20)).subarray(0, -512), Buffer.alloc(512, "more")]),
      limits: {},
      code: "IMAGE_INVALID",
    },
    {
      what: "an archive that is cut within a file",
      archive: packLayer([...files(20), file("cut", Buffer.alloc(5000))]).subarray(0, -3000),
      limits: {},
      code: "IMAGE_INVALID",
    },
    {
      what: "an archive with too many entries",
      archive: packLayer(files(200)),
      limits: { entries: 150 },
      code: "LIMIT_ENTRIES",
    },
    {
      what: "an archive with too large a file",
      archive: packLayer(files(200)),
      limits: { file: 4000 },
      code: "LIMIT_FILE",
    },
  ];

  test.each(refused)("are refused of $what, and nothing stays open", async (each) => {
    const before = openFiles();
    const { filled, made } = await make(each.archive, each);
    expect(made).toMatchObject({ ok: false, error: { code: each.code } });
    expect(filled).toMatchObject(stopped);
    expect(openFiles()).toBe(before);
  });

  test("are given up where the archive ends with a failure", async () => {
    const before = openFiles();
    const { filled, made } = await make(packLayer(files(200)), { ending: "fail" });
    expect([filled, made]).toMatchObject([stopped, stopped]);
    expect(openFiles()).toBe(before);
  });

  test.runIf(process.geteuid?.() === 0)("are given up when one can't be finished", async () => {
    const before = openFiles();
    const scratch = scratchDirectory();
    await asUser([scratch], async () => {
      policy = { owner: "image", setuid: "drop" };
      const { tree, filled, made } = await make(packLayer(files(200, { uid: 4711 })));
      const message = `cannot unpack into ${tree}: operation not permitted`;
      expect(filled).toMatchObject({ ok: false, error: { code: "PERMISSION", message } });
      expect(made).toMatchObject(stopped);
    });
    policy = usualPolicy;
    expect(openFiles()).toBe(before);
  });
});

describe("files that are filled", () => {
  test("stop all stages where the disk is full, and say where", () => {
    const before = openFiles();
    const memory = createPipelineMemory();
    const ring = readForTree(memory);
    const filler = new QueuedFiller(memory.queue, { ring, data: memory.ring.data });
    const content = () => Buffer.from(memory.ring.data, 0, 10);
    const finish = { mtime: 0, mode: undefined, owner: undefined };
    filler.fill(openSync("/dev/full", "w"), { content, size: 10, finish });
    expect(refusal(() => fillFiles({ memory, tree: "/the/tree" }))).toMatchObject({
      code: "NO_SPACE",
      message: "cannot unpack into /the/tree: no space, or no inode, left on the disk",
    });
    expect(() => ring.checkStopped()).toThrow(WorkStopped);
    filler.abandon();
    expect(openFiles()).toBe(before);
  });
});
