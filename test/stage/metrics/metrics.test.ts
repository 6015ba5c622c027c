import { describe, expect, test } from "vitest";
import { StageError } from "../../../src/errors.js";
import {
  addMeasurements,
  formatSamples,
  parseSamples,
  signature,
} from "../../../src/stage/metrics/exposition.js";
import {
  errorMeasurements,
  gcMeasurements,
  type Measurement,
  sizeMeasurements,
  stagingMeasurements,
} from "../../../src/stage/metrics/measurement.js";
import { parseExposition } from "../../support/exposition.js";

const layer = { diffId: "sha256:1", digest: null, size: 1, unpackedSize: 1 };

function staged(over: { hit?: boolean; totalMs?: number } = {}) {
  const { hit = false, totalMs = 1500 } = over;
  const times = { resolveMs: 0, fetchMs: 0, extractMs: 0, assembleMs: 0, waitMs: 250 };
  return stagingMeasurements({
    hit,
    layers: [
      { ...layer, reused: true },
      { ...layer, reused: false },
    ],
    timings: { ...times, totalMs },
    bytes: { read: 10, fetched: 20, written: 30, reused: 40 },
  });
}

/** What a file says to Prometheus after each of these has been added. */
function exposed(...all: readonly (readonly Measurement[])[]) {
  let text = `${signature}\n`;
  for (const measurements of all) {
    const parsed = parseSamples(text);
    expect(parsed?.damaged).toBe(0);
    text = formatSamples(addMeasurements(parsed?.samples ?? new Map(), measurements));
  }
  return Object.fromEntries(parseExposition(text));
}

describe("metrics", () => {
  test("count what was staged anew, and what it took", () => {
    expect(exposed(staged(), staged())).toMatchObject({
      stage_rootfs_misses_total: 2,
      stage_rootfs_read_bytes_total: 20,
      stage_rootfs_fetched_bytes_total: 40,
      stage_rootfs_written_bytes_total: 60,
      stage_rootfs_reused_bytes_total: 80,
      stage_rootfs_layers_unpacked_total: 2,
      stage_rootfs_wait_seconds_total: 0.5,
      stage_rootfs_staging_seconds_sum: 3,
      stage_rootfs_staging_seconds_count: 2,
    });
  });

  test("sort stagings by how long they took", () => {
    const seen = exposed(
      staged({ totalMs: 100 }),
      staged({ totalMs: 101 }),
      staged({ totalMs: 1e6 }),
    );
    expect(seen).toMatchObject({
      'stage_rootfs_staging_seconds_bucket{le="0.1"}': 1,
      'stage_rootfs_staging_seconds_bucket{le="0.25"}': 2,
      'stage_rootfs_staging_seconds_bucket{le="600"}': 2,
      'stage_rootfs_staging_seconds_bucket{le="+Inf"}': 3,
    });
  });

  test("count a hit as nothing else", () => {
    const seen = exposed(staged({ hit: true }), staged({ hit: true }));
    expect(seen).toEqual({
      stage_rootfs_hits_total: 2,
      stage_rootfs_wait_seconds_total: 0.5,
      stage_rootfs_last_success_timestamp_seconds: expect.any(Number),
    });
  });

  test("say when something last went well, in seconds", () => {
    const { stage_rootfs_last_success_timestamp_seconds: time = 0 } = exposed(staged());
    expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(5);
  });

  test("count errors by their codes, and keep when something last went well", () => {
    const busy = errorMeasurements(new StageError("BUSY", "x"));
    const seen = exposed(busy, errorMeasurements(new Error("x")), busy);
    expect(seen).toEqual({
      'stage_rootfs_errors_total{code="BUSY"}': 2,
      'stage_rootfs_errors_total{code="INTERNAL"}': 1,
    });
  });

  test("count what garbage collection removed, by the reason", () => {
    const entry = { key: "k", imageId: "i", lastUse: 0, bytes: 5, inodes: 1 };
    const entries = (["max-size", "max-age", "max-size"] as const).map((reason) => ({
      ...entry,
      reason,
    }));
    const report = { dryRun: false, entries, freed: { bytes: 15, inodes: 3 }, unmet: [] };
    const missed = { goal: "max-size", wanted: 0, reached: 1 } as const;
    expect(exposed(gcMeasurements({ ...report, unmet: [missed] }))).toEqual({
      stage_rootfs_gc_runs_total: 1,
      'stage_rootfs_evictions_total{reason="max-size"}': 2,
      'stage_rootfs_evictions_total{reason="max-age"}': 1,
      stage_rootfs_evicted_bytes_total: 15,
    });
    expect(exposed(gcMeasurements(report))).toHaveProperty(
      "stage_rootfs_last_success_timestamp_seconds",
    );
    expect(gcMeasurements({ ...report, dryRun: true })).toEqual([]);
  });

  test("set what is no count", () => {
    const seen = exposed(
      sizeMeasurements({ bytes: 9, entries: 2 }),
      sizeMeasurements({ bytes: 4, entries: 1 }),
    );
    expect(seen).toEqual({ stage_rootfs_cache_bytes: 4, stage_rootfs_cache_entries: 1 });
  });

  test("stay the same when they are read and written again, also large and small ones", () => {
    const samples = new Map([
      ["stage_rootfs_hits_total", 1e21],
      ["stage_rootfs_wait_seconds_total", 1e-9],
      ['stage_rootfs_errors_total{code="BUSY"}', 0.1 + 0.2],
    ]);
    expect(parseSamples(formatSamples(samples))).toEqual({ samples, damaged: 0 });
  });
});

describe("a file of metrics", () => {
  test.each([
    "",
    "stage_rootfs_hits_total 1\n",
    "# HELP node_load1 1m load average.\nnode_load1 0.5\n",
    ` ${signature}\n`,
  ])("of something else is told from one of ours: %j", (text) => {
    expect(parseSamples(text)).toBeUndefined();
  });

  test.each([
    "stage_rootfs_hits_total",
    "stage_rootfs_hits_total x",
    "stage_rootfs_hits_total -1",
    "stage_rootfs_hits_total NaN",
    "stage_rootfs_hits_total 1 1",
    "stage_rootfs_unknown_total 1",
    'stage_rootfs_errors_total{code="A\\""} 1',
    "\0\0\0",
    "stage_rootfs_misses_total 2",
  ])("that is damaged keeps its other lines: %j", (line) => {
    const text = `${signature}\nstage_rootfs_misses_total 3\n${line}\n`;
    const samples = new Map([["stage_rootfs_misses_total", 3]]);
    expect(parseSamples(text)).toEqual({ samples, damaged: 1 });
  });
});
