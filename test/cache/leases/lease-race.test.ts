import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { markNew } from "../../../src/cache/durability/durability-mark.js";
import { entryFile } from "../../../src/cache/entry.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { compileSources } from "../../support/compiled-sources.js";

const rounds = Number(process.env["STAGE_ROOTFS_TEST_ROUNDS"] ?? 2000);

/**
 * Two threads. In each round one uses an entry under a lease, and the other removes it; both begin
 * at once, and then wait for up to as long as a removal takes. When both are done, the user looks
 * whether what it found is still as it was.
 */
const racer = `
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
const { sources, directory, part, rounds, meetings } = workerData;
const { CacheLayout } = await import(sources + "/cache/layout.js");
const { readEntry } = await import(sources + "/cache/entry.js");
const { takeLease } = await import(sources + "/cache/leases/leases.js");
const { removeEntry } = await import(sources + "/cache/removal/remove-entry.js");
const layout = new CacheLayout(directory);

let met = 0;
function meet() {
  const goal = 2 * ++met;
  if (Atomics.add(meetings, 0, 1) + 1 === goal) Atomics.notify(meetings, 0);
  for (let seen = 0; (seen = Atomics.load(meetings, 0)) < goal; ) Atomics.wait(meetings, 0, seen);
}

function dawdle(microseconds) {
  const end = process.hrtime.bigint() + BigInt(Math.floor(Math.random() * microseconds)) * 1000n;
  while (process.hrtime.bigint() < end);
}

function use(key) {
  dawdle(2000);
  const lease = { kind: "until", time: Date.now() + 60_000, word: "w" };
  if (takeLease(layout, key, lease) === "missing") return "missing";
  if (!readEntry(layout, { key, isDetails: (value) => value !== undefined })) return "hidden";
  return "found " + contentOf(key);
}

function contentOf(key) {
  try {
    return readFileSync(layout.entry(key) + "/rootfs/deep/f", "utf8");
  } catch (error) {
    return error.code;
  }
}

const outcomes = [];
for (let round = 0; round < rounds; round++) {
  const key = "k" + round;
  meet();
  const outcome = part === "user" ? use(key) : await removeEntry(layout, key, { now: Date.now() });
  meet();
  const isFound = outcome.startsWith("found");
  outcomes.push(isFound ? outcome + ", then " + contentOf(key) : outcome);
}
parentPort.postMessage(outcomes);
`;

let sources: string;
let compiled: string;

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), "stage-rootfs-compiled-"));
  sources = compileSources(compiled);
  writeFileSync(`${compiled}/racer.mjs`, racer);
}, 60_000);

afterAll(() => rmSync(compiled, { recursive: true }));

function addEntries({ layout }: TestCache): void {
  for (let round = 0; round < rounds; round++) {
    const key = `k${round}`;
    mkdirSync(`${layout.entry(key)}/rootfs/deep`, { recursive: true });
    writeFileSync(`${layout.entry(key)}/rootfs/deep/f`, "whole");
    writeFileSync(
      entryFile(layout.entry(key)),
      JSON.stringify({ schemaVersion: 1, key, details: 1 }),
    );
    markNew(layout.entry(key));
    mkdirSync(layout.leases(key));
  }
}

async function outcomesOf(part: string, data: object): Promise<readonly string[]> {
  const worker = new Worker(`${compiled}/racer.mjs`, { workerData: { ...data, part } });
  onTestFinished(async () => void (await worker.terminate()));
  return await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

describe("an entry that one leases while another removes it", () => {
  test("stays as it was found, or is not found", async () => {
    const cache = emptyCache();
    addEntries(cache);
    const meetings = new Int32Array(new SharedArrayBuffer(4));
    const data = { sources, directory: cache.directory, rounds, meetings };
    const [used, removed] = await Promise.all([
      outcomesOf("user", data),
      outcomesOf("remover", data),
    ]);
    const counts = new Map<string, number>();
    for (const [round, outcome] of used.entries()) {
      const both = `${outcome}; ${removed[round]}`;
      counts.set(both, (counts.get(both) ?? 0) + 1);
    }
    // Who leases a moment too late misses, and may still keep the entry from being removed.
    const allowed = [
      "found whole, then whole; leased",
      "missing; removed",
      "hidden; removed",
      "hidden; leased",
    ];
    expect([...counts.keys()].filter((both) => !allowed.includes(both))).toEqual([]);
    // Each side wins often enough for the other to have been tried.
    expect(counts.get("found whole, then whole; leased")).toBeGreaterThan(rounds / 20);
    expect(rounds - (counts.get("found whole, then whole; leased") ?? 0)).toBeGreaterThan(
      rounds / 20,
    );
  }, 120_000);
});
