import { prepareCache } from "../../cache/place/location.js";
import { makeWorkDirectory } from "../../cache/work-directory.js";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { removeTree } from "../../host/remove-tree.js";
import { checkImage } from "../../oci/check-image.js";
import type { Digest } from "../../oci/digest.js";
import type { Image, Layer, RemoteLayer } from "../../oci/image.js";
import type { Registry } from "../../oci/registry/registry.js";
import type { RegistryReference } from "../../oci/registry/repository.js";
import type { Pack } from "../pack/read-pack.js";
import type { StageRequest } from "../request.js";

/** Opens a request's image when it is first needed, and only once. */
export class ImageOpener {
  readonly #request: StageRequest;
  #image: Promise<Image<Layer | RemoteLayer>> | undefined;
  #registry: Promise<Registry> | undefined;
  #digest: Digest | undefined;
  #spoolDirectory: string | undefined;

  constructor(request: StageRequest) {
    this.#request = request;
    this.#digest = request.reference.registry?.digest;
  }

  /** @throws what {@link openImage}, {@link readRegistryImage} and {@link openPackedImage} throw */
  open(): Promise<Image<Layer | RemoteLayer>> {
    this.#image ??= this.#open();
    return this.#image;
  }

  /**
   * The digest of what a reference to a registry means, which is asked for it where the reference
   * does not say; the image is then that one.
   * @throws StageError NOT_FOUND, REGISTRY, AUTH, CONFIG
   */
  async registryDigest(): Promise<Digest> {
    const { tag } = this.#reference();
    const { signal } = this.#request.options;
    if (this.#digest === undefined && tag !== undefined) {
      this.#digest = await (await this.registry()).headDigest(tag, signal);
    }
    if (this.#digest === undefined) {
      const { bytes: _, digest } = await (await this.registry()).manifest(tag ?? "", signal);
      this.#digest = digest;
    }
    return this.#digest;
  }

  /** Takes a reference for that digest, whatever its tag stands for by now. */
  takeFor(digest: Digest): void {
    this.#digest ??= digest;
  }

  /** The registry of a reference to one. @throws StageError NOT_FOUND when it is not to be asked */
  registry(): Promise<Registry> {
    this.#registry ??= this.#openRegistry();
    return this.#registry;
  }

  /** Removes what was spooled; the image's layers can't be read any more. */
  async close(): Promise<void> {
    if (this.#spoolDirectory !== undefined) removeTree(this.#spoolDirectory);
    const registry = await this.#registry?.catch(() => undefined);
    await registry?.close();
  }

  #open(): Promise<Image<Layer | RemoteLayer>> {
    const { pack, reference } = this.#request;
    if (pack) return this.#openPacked(pack);
    return reference.registry ? this.#openRemote() : this.#openLocal();
  }

  async #openPacked(pack: Pack): Promise<Image> {
    const { platform, limits } = this.#request;
    const { openPackedImage } = await import("../pack/read-pack.js");
    const image = await openPackedImage(pack, this.#request);
    checkImage(image, { label: pack.bundle.label, limits, platform });
    return image;
  }

  async #openLocal(): Promise<Image> {
    const { reference, platform, layout, limits, options } = this.#request;
    const { openImage } = await import("../../oci/open-image.js");
    return await openImage(reference, {
      platform,
      limits,
      signal: options.signal,
      spoolDirectory: () => {
        prepareCache(this.#request);
        this.#spoolDirectory = makeWorkDirectory(layout);
        return this.#spoolDirectory;
      },
    });
  }

  async #openRemote(): Promise<Image<RemoteLayer>> {
    const { platform, limits, options } = this.#request;
    const reference = await this.registryDigest();
    const { readRegistryImage } = await import("../../oci/sources/registry.js");
    const registry = await this.registry();
    const image = await readRegistryImage(registry, {
      reference,
      platform,
      allowForeignLayers: options.registry?.allowForeignLayers ?? false,
      signal: options.signal,
    });
    checkImage(image, { label: registry.label, limits, platform });
    return image;
  }

  async #openRegistry(): Promise<Registry> {
    const { image, limits, options } = this.#request;
    if (options.offline) {
      throw new StageError(
        "NOT_FOUND",
        `${printable(image)} is not in the cache, or not all of it`,
        {
          hint: "leave --offline out to fetch it",
        },
      );
    }
    const { openRegistry } = await import("../../oci/registry/open-registry.js");
    return await openRegistry(this.#reference(), {
      text: this.#request.reference.location.slice("//".length),
      settings: options.registry ?? {},
      longestDocument: limits.document,
      signal: options.signal,
    });
  }

  #reference(): RegistryReference {
    const { registry } = this.#request.reference;
    if (!registry) throw new TypeError(`${this.#request.image} is no image of a registry`);
    return registry;
  }
}
