import { formatDuration, formatSize } from "../host/quantity.js";
import type { GcReport, RemovedEntry } from "../stage/gc/gc-options.js";

const reasons: Readonly<Record<RemovedEntry["reason"], string>> = {
  "max-age": "unused for too long",
  "keep-last": "not among the last used",
  "max-size": "the cache was too large",
  room: "the disk was too full",
};

/** A report on garbage collection for people: a line for each thing, and one for the sum. */
export function gcText(report: GcReport, now: number = Date.now()): string {
  const { entries, layers, leases, leftovers, sources, dryRun, freed, size, stay } = report;
  const done = dryRun ? "would remove" : "removed";
  const lines = entries.map(({ key, lastUse, bytes, reason }) => {
    const idle = formatDuration((now - lastUse) / 1000);
    return `${done} ${key}  ${formatSize(bytes)}, last used ${idle} ago: ${reasons[reason]}`;
  });
  const others = [
    counted(layers.length, "layer"),
    counted(leases.length, "dead lease"),
    counted(leftovers, "leftover of dead processes", "leftovers of dead processes"),
    counted(sources, "forgotten source"),
  ].filter((text) => text !== "");
  if (others.length > 0) lines.push(`${done} ${others.join(", ")}`);
  lines.push(...stay.map(({ key, why }) => `${dryRun ? "would keep" : "kept"} ${key}: ${why}`));
  const frees = dryRun ? "would free" : "freed";
  const then = dryRun ? "would take" : "takes";
  lines.push(
    `${frees} about ${formatSize(freed.bytes)} and ${freed.inodes} inodes; the cache ${then} about ${formatSize(size.bytes)}`,
  );
  return `${lines.join("\n")}\n`;
}

function counted(count: number, one: string, many: string = `${one}s`): string {
  return count === 0 ? "" : `${count} ${count === 1 ? one : many}`;
}
