import { digestOf } from "../../src/oci/digest.js";
import type { FileContent, FileSet } from "./file-set.js";
import { type ConfigParts, configDocument, hexOf, json } from "./image-parts.js";

/** An entry of manifest.json. */
export interface SavedImageJson {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers?: readonly string[] | null;
}

/** A docker-archive under construction. What it holds may be as wrong as wanted. */
export class DockerArchiveBuilder {
  readonly files: Map<string, FileContent> = new Map();

  /** Adds config and layers of an image and gives its entry for manifest.json. */
  image(
    parts: ConfigParts & { layers: readonly Buffer[]; tags?: readonly string[] | null },
  ): SavedImageJson {
    const config = configDocument(parts);
    const Config = `${hexOf(digestOf(config))}.json`;
    this.files.set(Config, config);
    const Layers = parts.layers.map((layer) => {
      const name = `${hexOf(digestOf(layer))}/layer.tar`;
      this.files.set(name, layer);
      return name;
    });
    return { Config, RepoTags: parts.tags ?? null, Layers };
  }

  /** The archive with the given images in its manifest.json, which comes last. */
  finish(...images: readonly SavedImageJson[]): FileSet {
    this.files.set("manifest.json", json(images));
    return this.files;
  }
}

/** An archive that holds one image. */
export function dockerArchiveOf(
  parts: ConfigParts & { layers: readonly Buffer[]; tags?: readonly string[] | null },
): FileSet {
  const archive = new DockerArchiveBuilder();
  return archive.finish(archive.image(parts));
}
