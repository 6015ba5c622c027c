/** Below so many bytes, stored, starting further threads takes longer than they save. */
const leastSize = 32 * 1024 * 1024;

/** A layer that is to be unpacked, with its size as stored, in bytes. */
export interface SizedLayer {
  readonly diffId: string;
  readonly size: number;
}

/**
 * Which layers to unpack in stages, by several threads each: those that all others would be done
 * before, had each layer one thread. Unpacking in stages takes more work in all, so where there are
 * layers enough to keep all cores busy, none is.
 * @param cores how many layers may be unpacked side by side
 */
export function layersInStages(layers: readonly SizedLayer[], cores: number): ReadonlySet<string> {
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const large = layers.filter(({ size }) => size >= leastSize && size * cores > total);
  const largestFirst = [...large].sort((a, b) => b.size - a.size);
  return new Set(largestFirst.slice(0, mostInStages(cores)).map(({ diffId }) => diffId));
}

/** How many layers are unpacked in stages at most. */
export function mostInStages(cores: number): number {
  // A lone core gains nothing, and more stages than cores are of no use either.
  return Math.floor(cores / 2);
}
