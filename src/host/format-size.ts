const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** A number of bytes for people, in powers of 1024 with three digits: `1.46 GiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${Math.ceil(bytes)} B`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  const value = bytes / 1024 ** power;
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[power - 1]}`;
}
