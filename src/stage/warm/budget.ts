/** Sizes of layers in bytes of file content, by their diffIDs. */
export type LayerSizes = ReadonlyMap<string, number>;

/** How much the images of a list may take together. A layer that several of them have counts once. */
export class Budget {
  readonly limit: number;
  readonly #images = new Map<string, LayerSizes>();

  /** @param limit in bytes */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** What is taken, in bytes. */
  get taken(): number {
    return sumOf(this.#layers());
  }

  /** How many bytes an image takes beside what is taken already. */
  added(layers: LayerSizes): number {
    const known = this.#layers();
    return sumOf(new Map([...layers].filter(([diffId]) => !known.has(diffId))));
  }

  /** Whether an image fits in. One that adds nothing always does. */
  allows(layers: LayerSizes): boolean {
    const added = this.added(layers);
    return added === 0 || this.taken + added <= this.limit;
  }

  /** Counts an image, or counts it anew when more is known of it. */
  take(image: string, layers: LayerSizes): void {
    this.#images.delete(image);
    this.#images.set(image, layers);
  }

  /** What was counted last is known best. */
  #layers(): LayerSizes {
    return new Map([...this.#images.values()].flatMap((layers) => [...layers]));
  }
}

function sumOf(layers: LayerSizes): number {
  return [...layers.values()].reduce((sum, size) => sum + size, 0);
}
