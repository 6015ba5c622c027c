import { prepareCache } from "../cache/location.js";
import { makeWorkDirectory } from "../cache/work-directory.js";
import { removeTree } from "../host/remove-tree.js";
import type { Image } from "../oci/image.js";
import type { StageRequest } from "./request.js";

/** Opens a request's image when it is first needed, and only once. */
export class ImageOpener {
  readonly #request: StageRequest;
  #image: Promise<Image> | undefined;
  #spoolDirectory: string | undefined;

  constructor(request: StageRequest) {
    this.#request = request;
  }

  /** @throws what {@link openImage} throws */
  open(): Promise<Image> {
    this.#image ??= this.#open();
    return this.#image;
  }

  async #open(): Promise<Image> {
    const { reference, platform, cacheDirectory, uid, layout, limits, options } = this.#request;
    const { openImage } = await import("../oci/open-image.js");
    return await openImage(reference, {
      platform,
      limits,
      signal: options.signal,
      spoolDirectory: () => {
        prepareCache(cacheDirectory, uid);
        this.#spoolDirectory = makeWorkDirectory(layout);
        return this.#spoolDirectory;
      },
    });
  }

  /** Removes what was spooled; the image's layers can't be read any more. */
  close(): void {
    if (this.#spoolDirectory !== undefined) removeTree(this.#spoolDirectory);
  }
}
