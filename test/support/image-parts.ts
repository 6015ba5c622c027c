import { type Digest, digestOf } from "../../src/oci/digest.js";

/** A JSON document as bytes. */
export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export interface ConfigParts {
  /** The unpacked layers. */
  readonly layers?: readonly Buffer[];
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  /** The property `config`. */
  readonly config?: unknown;
}

/** An image's config document. */
export function configDocument(parts: ConfigParts = {}): Buffer {
  const { layers = [], os = "linux", architecture = "amd64", variant, config = {} } = parts;
  return json({
    os,
    architecture,
    variant,
    config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => digestOf(layer)) },
  });
}

/** What follows `sha256:`. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Bytes that stand for a layer: image sources do not look into one. */
export function layerBytes(mark: string): Buffer {
  return Buffer.from(`layer ${mark} `.repeat(100));
}
