/** A part of a disk: in bytes, or in hundredths of its size. */
export type Share = { readonly bytes: number } | { readonly percent: number };

const multipliers: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/** A size or count: digits, with K, M, G or T (or KiB …) for powers of 1024; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,15})(?:([KMGT])(?:iB)?)?$/.exec(text) ?? [];
  return digits === "" ? undefined : Number(digits) * 1024 ** (multipliers[unit] ?? 0);
}

/** A {@link Share}: a size, or a number up to 100 followed by `%`; undefined if it is none. */
export function parseShare(text: string): Share | undefined {
  const [, number] = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
  if (number !== undefined) {
    const percent = Number(number);
    return percent <= 100 ? { percent } : undefined;
  }
  const bytes = parseSize(text);
  return bytes === undefined ? undefined : { bytes };
}

/** How many bytes a share of a disk of `total` bytes is. */
export function bytesOfShare(share: Share, total: number): number {
  return "bytes" in share ? share.bytes : Math.floor((share.percent / 100) * total);
}

const seconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 60 * 60,
  d: 24 * 60 * 60,
  w: 7 * 24 * 60 * 60,
};

/** A time span in seconds: digits, with s, m, h, d or w; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits = "", unit = "s"] = /^(\d{1,9})([smhdw]?)$/.exec(text) ?? [];
  return digits === "" ? undefined : Number(digits) * (seconds[unit || "s"] ?? 1);
}

/** Bytes for people: three digits or so, in powers of 1024. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = "";
  for (const next of ["K", "M", "G", "T"]) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return unit === "" ? String(value) : `${value.toFixed(value < 10 ? 1 : 0)}${unit}`;
}

/** A time span for people, in its largest whole unit. */
export function formatDuration(span: number): string {
  for (const unit of ["d", "h", "m"]) {
    const length = seconds[unit] ?? 1;
    if (span >= 2 * length) return `${Math.floor(span / length)}${unit}`;
  }
  return `${Math.max(0, Math.floor(span))}s`;
}
