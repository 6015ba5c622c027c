// @ts-check
/** What the bench has measured, as it is kept between runs. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";

/** One run, or the medians of several. */
const sampleSchema = v.object({
  /** Wall time. */
  seconds: v.number(),
  /** Of all processes, user and system. */
  cpuSeconds: v.nullable(v.number()),
  /** Of the largest process. */
  peakMiB: v.nullable(v.number()),
});

const rowSchema = v.object({
  id: v.string(),
  label: v.string(),
  /** The row that this one is compared with. */
  against: v.nullable(v.string()),
  /** Whether it is stage-rootfs. */
  own: v.boolean(),
  node: v.nullable(v.string()),
  /** How much of what the part varies. */
  scale: v.nullable(v.number()),
  samples: v.array(sampleSchema),
  median: sampleSchema,
});

const absentSchema = v.object({ label: v.string(), reason: v.string() });

const partSchema = v.object({
  name: v.string(),
  title: v.string(),
  /** What was measured, in a sentence. */
  about: v.string(),
  /** What `scale` counts, if the part varies something. */
  unit: v.nullable(v.string()),
  rounds: v.number(),
  rows: v.array(rowSchema),
  absent: v.array(absentSchema),
  /** When, as in ISO 8601. */
  measured: v.string(),
});

const machineSchema = v.object({
  processor: v.string(),
  cores: v.number(),
  memory: v.number(),
  kernel: v.string(),
  system: v.string(),
  fileSystem: v.string(),
});

const resultsSchema = v.object({
  schemaVersion: v.literal(1),
  machine: machineSchema,
  /** Versions of what was compared, and what each does. */
  programs: v.array(v.object({ label: v.string(), version: v.string(), does: v.string() })),
  parts: v.array(partSchema),
});

/** @typedef {v.InferOutput<typeof sampleSchema>} Sample */
/** @typedef {v.InferOutput<typeof rowSchema>} Row */
/** @typedef {v.InferOutput<typeof absentSchema>} Absent */
/** @typedef {v.InferOutput<typeof partSchema>} Part */
/** @typedef {v.InferOutput<typeof machineSchema>} Machine */
/** @typedef {v.InferOutput<typeof resultsSchema>} Results */

/**
 * The results in a file; undefined when there are none, or they are of another form.
 * @param {string} file
 */
export function readResults(file) {
  if (!existsSync(file)) {
    return undefined;
  }
  const parsed = v.safeParse(resultsSchema, JSON.parse(readFileSync(file, "utf8")));
  return parsed.success ? parsed.output : undefined;
}

/**
 * @param {string} file
 * @param {Results} results
 */
export function writeResults(file, results) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/**
 * New results, with the parts of old ones that were not measured again. Old results of another
 * machine are of no use beside new ones.
 * @param {Results | undefined} old
 * @param {Results} fresh
 * @param {readonly string[]} order of the parts, by their names
 * @returns {Results}
 */
export function merged(old, fresh, order) {
  const isSame = old !== undefined && JSON.stringify(old.machine) === JSON.stringify(fresh.machine);
  const again = new Set(fresh.parts.map(({ name }) => name));
  const kept = isSame ? old.parts.filter(({ name }) => !again.has(name)) : [];
  const parts = [...kept, ...fresh.parts].filter(({ name }) => order.includes(name));
  parts.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return { ...fresh, parts };
}

/**
 * A row's time in terms of the one that it is compared with; undefined for a reference.
 * @param {Part} part
 * @param {Row} row
 */
export function ratioOf({ rows }, row) {
  const reference = rows.find(({ id }) => id === row.against);
  return reference === undefined ? undefined : row.median.seconds / reference.median.seconds;
}
