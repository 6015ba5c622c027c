import { type Family, families } from "./families.js";
import type { Measurement } from "./measurement.js";

/** The first line of a file that this has written, and no other program. */
export const signature = "# Kept by stage-rootfs: counters go on from what stands here.";

/** Values by their name with its label, as they are written: `stage_rootfs_errors_total{code="BUSY"}`. */
export type Samples = ReadonlyMap<string, number>;

/** Adds to counters, and sets gauges. */
export function addMeasurements(
  before: Samples,
  measurements: readonly Measurement[],
): ReadonlyMap<string, number> {
  const samples = new Map(before);
  for (const { name, label, value, isGauge } of measurements) {
    // Values of labels are words of this program's, which need no escaping.
    const key = label ? `${name}{${label.name}="${label.value}"}` : name;
    samples.set(key, isGauge ? value : (samples.get(key) ?? 0) + value);
  }
  return samples;
}

/** Samples in Prometheus's text format 0.0.4, each family with its HELP and TYPE. */
export function formatSamples(samples: Samples): string {
  const lines = Object.values(families).flatMap((family) => {
    const own = [...samples].filter(([key]) => familyOf(key) === family);
    if (own.length === 0) return [];
    const { name, type, help } = family;
    return [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...own.map(([key, value]) => `${key} ${value}`),
    ];
  });
  return `${[signature, ...lines].join("\n")}\n`;
}

export interface ParsedSamples {
  readonly samples: Samples;
  /** How many lines were none that {@link formatSamples} writes. */
  readonly damaged: number;
}

/** Reads what {@link formatSamples} wrote; undefined for what something else has written. */
export function parseSamples(text: string): ParsedSamples | undefined {
  const [first, ...lines] = text.split("\n");
  if (first !== signature) return undefined;
  const samples = new Map<string, number>();
  let damaged = 0;
  for (const line of lines) {
    if (line === "" || line.startsWith("#")) continue;
    const [, key = "", digits = ""] = sample.exec(line) ?? [];
    const value = digits === "" ? Number.NaN : Number(digits);
    if (Number.isFinite(value) && familyOf(key) && !samples.has(key)) samples.set(key, value);
    else damaged++;
  }
  return { samples, damaged };
}

const sample = /^([a-z_]+(?:\{[a-z]+="[A-Za-z0-9_+.-]+"\})?) (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

function familyOf(key: string): Family | undefined {
  const [name = ""] = key.split("{");
  return Object.values(families).find((family) => {
    if (family.type !== "histogram") return family.name === name;
    return ["_bucket", "_sum", "_count"].some((part) => name === `${family.name}${part}`);
  });
}
