import { printable } from "../host/byte-string.js";
import { formatDuration, formatSize } from "../host/quantity.js";
import type { CacheListing, ListedEntry } from "../stage/manage/list-cache.js";

export interface TableOptions {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** How many characters fit on a line. */
  readonly width: number;
  /** Whether each lease gets a line of its own. */
  readonly leases: boolean;
}

const heads = ["KEY", "SIZE", "SHARED", "AGE", "USED", "LEASES", "IMAGE"] as const;
const gap = "  ";

/** The least that is shown of an image's reference, in characters, whatever the line's width. */
const leastImage = 12;

/** A listing as a table; an empty text where there is nothing to list. */
export function listingText(listing: CacheListing, options: TableOptions): string {
  const { entries } = listing;
  if (entries.length === 0) return "";
  const rows = [heads, ...rowsOf(entries, options)];
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const fixed = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0);
  const room = Math.max(leastImage, options.width - fixed);
  const lines = rows.flatMap((row, i) => {
    const cells = row.map((cell, column) => {
      if (column === heads.length - 1) return shortened(cell, room);
      const width = widths[column] ?? 0;
      return column >= 1 && column <= 4 ? cell.padStart(width) : cell.padEnd(width);
    });
    const entry = entries[i - 1];
    return [
      cells.join(gap).trimEnd(),
      ...(entry && options.leases ? leaseLines(entry, options) : []),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function rowsOf(
  entries: readonly ListedEntry[],
  { now }: TableOptions,
): readonly (readonly string[])[] {
  const keys = shortKeys(entries.map(({ key }) => key));
  return entries.map((entry, i) => [
    keys[i] ?? entry.key,
    formatSize(entry.size),
    formatSize(entry.shared),
    since(entry.stagedAt, now),
    since(entry.lastUse, now),
    leasesCell(entry),
    printable(entry.source?.reference ?? entry.imageId),
  ]);
}

/** Those that protect it: the first by its name, the others counted. */
function leasesCell({ leases }: ListedEntry): string {
  const [first, ...others] = leases.filter(({ protects }) => protects);
  if (!first) return "-";
  return others.length === 0 ? first.lease : `${first.lease} +${others.length}`;
}

function leaseLines({ leases }: ListedEntry, { now }: TableOptions): readonly string[] {
  return leases.map(({ lease, state, protects, takenAt, owner }) => {
    const known = state === "dead" ? " (over)" : protects ? "" : " (not believed)";
    return `${gap}${lease}${known}, taken ${since(takenAt, now)} ago by user ${owner}`;
  });
}

function since(time: string, now: number): string {
  return formatDuration((now - Date.parse(time)) / 1000);
}

/** How much of a digest is shown at least, in characters. */
const shortDigest = 12;

/**
 * Keys without the digest's algorithm and with no more of the digest than tells them apart. What
 * follows the digest stays: it tells an image's variants apart.
 */
export function shortKeys(keys: readonly string[]): readonly string[] {
  const bare = keys.map((key) => key.replace(/^sha256-/, ""));
  const digests = new Set(bare.map((key) => key.split("-")[0] ?? ""));
  let length = shortDigest;
  while (new Set([...digests].map((d) => d.slice(0, length))).size < digests.size) length++;
  return bare.map((key) => {
    const [digest = "", ...rest] = key.split("-");
    const variant = rest.join("-").replace(/(mounts-[0-9a-f]{6})[0-9a-f]{10}$/, "$1");
    return variant === "" ? digest.slice(0, length) : `${digest.slice(0, length)}-${variant}`;
  });
}

/** A text with its middle left out where it is longer than `room`: both ends of a reference tell. */
function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const head = Math.floor((room - 1) / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (room - 1 - head))}`;
}
