import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Stages, unpackInStages } from "../../../src/extract/pipeline/unpack-in-stages.js";
import type { UnpackLayerTask } from "../../../src/extract/unpack-layer.js";
import type { Digest } from "../../../src/oci/digest.js";
import { defaultLimits } from "../../../src/oci/limits.js";
import { file, packLayer, sha256, usualPolicy } from "../../support/layers.js";
import { openFiles } from "../../support/open-files.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { useStageThreads } from "../../support/threaded-stages.js";

const { stages } = useStageThreads();
const never = new AbortController().signal;
const wrong: Digest = `sha256:${"0".repeat(64)}`;

function taskFor(blob: Buffer, task: Partial<UnpackLayerTask> = {}): UnpackLayerTask {
  const scratch = scratchDirectory();
  const path = `${scratch}/blob`;
  writeFileSync(path, blob);
  mkdirSync(`${scratch}/tree`, { mode: 0o700 });
  return {
    span: { path, offset: 0, size: blob.length },
    diffId: sha256(blob),
    digest: null,
    tree: `${scratch}/tree`,
    policy: usualPolicy,
    limits: defaultLimits,
    ...task,
  };
}

const content = Buffer.alloc(3_000_000, "content of a file\n");
const entries = [
  file("large", content),
  ...Array.from({ length: 300 }, (_, i) => file(`small-${i}`)),
];
const tar = packLayer(entries);

describe("a layer that is unpacked in stages", () => {
  test("is whole, and its digests are checked", async () => {
    const blob = gzipSync(tar, { level: 1 });
    const task = taskFor(blob, { diffId: sha256(tar), digest: sha256(blob) });
    const record = await unpackInStages(task, { stages, signal: never });
    expect(record.entries).toBe(301);
    expect(readFileSync(`${task.tree}/large`).equals(content)).toBe(true);
    expect(readFileSync(`${task.tree}/small-299`, "utf8")).toBe("small-299");
  });

  const blob = gzipSync(tar, { level: 1 });
  const good = { diffId: sha256(tar), digest: sha256(blob) };
  const refused = [
    {
      what: "another digest",
      task: { ...good, digest: wrong },
      error: /its blob should be sha256:0{64}/,
    },
    {
      what: "another diffID",
      task: { ...good, diffId: wrong },
      error: /its diffID should be sha256:0{64}/,
    },
    { what: "both others", task: { diffId: wrong, digest: wrong }, error: /its blob should be/ },
  ];

  test.each(refused)("is refused for $what", async ({ task, error }) => {
    const { code, message } = await rejection(
      unpackInStages(taskFor(blob, task), { stages, signal: never }),
    );
    expect(code).toBe("DIGEST_MISMATCH");
    expect(message).toMatch(error);
    expect(message).toContain(`layer ${task.diffId}: `);
  });

  test("is refused for what its archive says before what its compression says", async () => {
    const two = Buffer.concat([tar.subarray(0, -1024), Buffer.alloc(2 ** 20, "x"), tar]);
    const damaged = gzipSync(two, { level: 1 }).subarray(0, -2000);
    const task = taskFor(damaged, { diffId: wrong });
    const { message } = await rejection(unpackInStages(task, { stages, signal: never }));
    expect(message).toMatch(/not a tar header/);
  });

  test("is refused where its blob is no file any more", async () => {
    const task = taskFor(blob, { span: { path: "/nowhere/blob", offset: 0, size: 10 } });
    const error = await rejection(unpackInStages(task, { stages, signal: never }));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(error.message).toMatch(/^layer sha256:.*\/nowhere\/blob/);
  });
});

/** So large that some of its bytes are not in memory yet when others are on disk. */
const plain = packLayer([...entries, file("last", Buffer.alloc(10_000_000, "last"))]);

describe("work that is given up", () => {
  test("ends at once, at whatever time, with what it was given up for", async () => {
    const before = openFiles();
    const outcomes: string[] = [];
    const whole = taskFor(plain);
    for (let round = 0; round < 30; round++) {
      const task = { ...whole, tree: scratchDirectory() };
      const controller = new AbortController();
      const work = unpackInStages(task, { stages, signal: controller.signal }).then(
        () => "whole",
        (error: unknown) => String(error),
      );
      await sleep(round / 2);
      const start = performance.now();
      controller.abort(new Error("enough"));
      outcomes.push(await work);
      expect(performance.now() - start).toBeLessThan(1000);
      expect(openFiles()).toBe(before);
    }
    expect(outcomes[0]).toBe("Error: enough");
    expect(new Set(["whole", ...outcomes])).toEqual(new Set(["whole", "Error: enough"]));
    // The threads are there for others.
    const task = { ...whole, tree: scratchDirectory() };
    const record = await unpackInStages(task, { stages, signal: never });
    expect(record.entries).toBe(302);
  });

  test("listens no more to who gave it up, once it is done", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const signal = new Proxy(controller.signal, {
      get(target, name) {
        if (name === "addEventListener") listeners++;
        if (name === "removeEventListener") listeners--;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await unpackInStages(taskFor(tar), { stages, signal });
    expect(listeners).toBe(0);
  });
});

describe("a stage that can't run at all", () => {
  const names = ["inflate", "hashBlocks", "makeTree", "fillFiles"] as const;

  test.each(names)(
    "(%s) fails the work with its error once the others have ended",
    async (name) => {
      const before = openFiles();
      let running = 0;
      const counted = async <Value>(work: Promise<Value>): Promise<Value> => {
        running++;
        return await work.finally(() => running--);
      };
      const others: Stages = {
        inflate: (task) => counted(stages.inflate(task)),
        hashBlocks: (task) => counted(stages.hashBlocks(task)),
        makeTree: (task) => counted(stages.makeTree(task)),
        fillFiles: (task) => counted(stages.fillFiles(task)),
      };
      const refuse = () => Promise.reject(new Error("no thread"));
      const work = unpackInStages(taskFor(plain), {
        stages: { ...others, [name]: refuse },
        signal: never,
      });
      await expect(work).rejects.toThrow("no thread");
      expect(running).toBe(0);
      expect(openFiles()).toBe(before);
    },
  );
});
