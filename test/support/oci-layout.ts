import { digestOf } from "../../src/oci/digest.js";
import type { FileContent, FileSet } from "./file-set.js";
import { type ConfigParts, configDocument, json } from "./image-parts.js";

/** A descriptor as it stands in a document. */
export interface DescriptorJson {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<Record<string, unknown>>;
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";
export const indexType = "application/vnd.oci.image.index.v1+json";
export const configType = "application/vnd.oci.image.config.v1+json";
export const layerType = "application/vnd.oci.image.layer.v1.tar";

/** The annotations that give an image a name in a layout. */
export function named(name: string): { annotations: Record<string, string> } {
  return { annotations: { "org.opencontainers.image.ref.name": name } };
}

/** A descriptor's `platform`, from `linux/arm64/v8`. */
export function platformed(text: string): { platform: Record<string, unknown> } {
  const [os, architecture, variant] = text.split("/");
  return { platform: { os, architecture, variant } };
}

/** An OCI image layout under construction. What it holds may be as wrong as wanted. */
export class LayoutBuilder {
  readonly files: Map<string, FileContent> = new Map([
    ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
  ]);

  /** Adds a blob and gives its descriptor. */
  blob(bytes: Buffer, mediaType: string): DescriptorJson {
    const digest = digestOf(bytes);
    this.files.set(blobName(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** Adds layers, config and manifest of an image and gives the manifest's descriptor. */
  image(parts: ConfigParts & { layers: readonly Buffer[] }): DescriptorJson {
    const layers = parts.layers.map((layer) => this.blob(layer, layerType));
    const config = this.blob(configDocument(parts), configType);
    return this.blob(
      json({ schemaVersion: 2, mediaType: manifestType, config, layers }),
      manifestType,
    );
  }

  /** Adds an index as a blob and gives its descriptor. */
  index(manifests: readonly DescriptorJson[]): DescriptorJson {
    return this.blob(json({ schemaVersion: 2, mediaType: indexType, manifests }), indexType);
  }

  /** The layout with the given entries in its index.json. */
  finish(...manifests: readonly DescriptorJson[]): FileSet {
    this.files.set("index.json", json({ schemaVersion: 2, manifests }));
    return this.files;
  }
}

/** Where a layout keeps the blob of a digest. */
export function blobName(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** A layout that holds one image. */
export function layoutOf(parts: ConfigParts & { layers: readonly Buffer[] }): FileSet {
  const layout = new LayoutBuilder();
  return layout.finish(layout.image(parts));
}
