import { StageError } from "../../errors.js";
import type { GcReport } from "../gc/gc-options.js";
import type { StageResult } from "../result.js";
import { type Family, families, stagingBounds } from "./families.js";

/** One number to be added to what was counted before or, of a gauge, to take its place. */
export interface Measurement {
  /** With the suffix that a histogram's parts have. */
  readonly name: string;
  readonly label?: { readonly name: string; readonly value: string } | undefined;
  readonly value: number;
  readonly isGauge: boolean;
}

/** What staging an image, or finding it staged, has to say. */
export function stagingMeasurements(
  result: Pick<StageResult, "hit" | "bytes" | "timings" | "layers">,
): readonly Measurement[] {
  const { hit, bytes, timings, layers } = result;
  const waited = count(families.waiting, timings.waitMs / 1000);
  if (hit) return [count(families.hits, 1), waited, ...success()];
  return [
    count(families.misses, 1),
    count(families.fetched, bytes.fetched),
    count(families.read, bytes.read),
    count(families.written, bytes.written),
    count(families.reused, bytes.reused),
    count(families.layersUnpacked, layers.filter(({ reused }) => !reused).length),
    ...observe(families.staging, timings.totalMs / 1000),
    waited,
    ...success(),
  ];
}

/** What garbage collection has to say; nothing, of a dry run. */
export function gcMeasurements(
  report: Pick<GcReport, "dryRun" | "entries" | "freed" | "unmet">,
): readonly Measurement[] {
  if (report.dryRun) return [];
  return [
    count(families.gcRuns, 1),
    ...report.entries.map(({ reason }) => {
      return { ...count(families.evictions, 1), label: { name: "reason", value: reason } };
    }),
    count(families.evicted, report.freed.bytes),
    ...(report.unmet.length === 0 ? success() : []),
  ];
}

/** What an error has to say. One that is no StageError is INTERNAL. */
export function errorMeasurements(error: unknown): readonly Measurement[] {
  const value = error instanceof StageError ? error.code : "INTERNAL";
  return [{ ...count(families.errors, 1), label: { name: "code", value } }];
}

/** What a cache takes. */
export function sizeMeasurements(cache: {
  readonly bytes: number;
  readonly entries: number;
}): readonly Measurement[] {
  return [gauge(families.cacheSize, cache.bytes), gauge(families.cacheEntries, cache.entries)];
}

function success(): readonly Measurement[] {
  return [gauge(families.success, Math.round(Date.now()) / 1000)];
}

function count({ name }: Family, value: number): Measurement {
  return { name, value, isGauge: false };
}

function gauge({ name }: Family, value: number): Measurement {
  return { name, value, isGauge: true };
}

/** A histogram's buckets count what is no longer than they, and so do all that are longer. */
function observe({ name }: Family, seconds: number): readonly Measurement[] {
  const bounds = [...stagingBounds.map(String), "+Inf"];
  return [
    ...bounds.map((value) => ({
      name: `${name}_bucket`,
      label: { name: "le", value },
      value: seconds <= (value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value)) ? 1 : 0,
      isGauge: false,
    })),
    { name: `${name}_sum`, value: seconds, isGauge: false },
    { name: `${name}_count`, value: 1, isGauge: false },
  ];
}
