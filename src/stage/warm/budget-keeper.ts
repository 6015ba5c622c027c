import { readEntry } from "../../cache/entry.js";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { formatSize } from "../../host/format-size.js";
import type { ImageSummary } from "../../oci/image.js";
import { type Admission, keyOf, type StageRequest } from "../request.js";
import type { StageResult } from "../result.js";
import { isStagedImage } from "../staged-image.js";
import { Budget } from "./budget.js";
import { likelySizes, sizesInCache, stagedSizes } from "./layer-sizes.js";

/** An image is left out, because the images of the list would take too much. */
export class BeyondBudget extends StageError {}

/** Lets images be staged as long as the budget of their list allows for it. */
export class BudgetKeeper {
  readonly #budget: Budget;
  readonly #admitted = new Map<string, ImageSummary>();

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#budget = new Budget(limit);
  }

  /** @throws BeyondBudget for an image that does not stand already and does not fit in */
  readonly admit: Admission = async (request, { summary, opener }) => {
    const { image } = request;
    const standing = readEntry(request.layout, {
      key: keyOf(request, summary),
      isDetails: isStagedImage,
    });
    const sizes = standing
      ? stagedSizes(standing.details)
      : await likelySizes(request, { summary, opener });
    if (!standing && !this.#budget.allows(sizes)) throw this.#beyond(image, sizes);
    this.#admitted.set(image, summary);
    this.#budget.take(image, sizes);
  };

  /** Counts what an image really takes. */
  isReady(image: string, result: StageResult): void {
    this.#budget.take(image, stagedSizes(result));
  }

  /** Counts what an image has left in the cache that could not be staged. */
  hasFailed(request: StageRequest): void {
    const summary = this.#admitted.get(request.image);
    if (summary) this.#budget.take(request.image, sizesInCache(request, summary));
  }

  #beyond(image: string, sizes: ReadonlyMap<string, number>): BeyondBudget {
    const { taken, limit } = this.#budget;
    const wanted = formatSize(this.#budget.added(sizes));
    const state = `${formatSize(taken)} of the ${formatSize(limit)} are taken`;
    return new BeyondBudget(
      "NO_SPACE",
      `the budget does not allow for ${printable(image)}: it needs about ${wanted}, and ${state}`,
      { hint: "raise --budget, or name first what matters most" },
    );
  }
}
