import type { Span } from "../host/span.js";
import type { RuntimeConfig } from "./config.js";
import type { Digest } from "./digest.js";

/** What is known of a layer before it is read. */
export interface LayerSummary {
  /** Digest of the layer's tar archive, uncompressed. */
  readonly diffId: Digest;
  /** Digest of the blob as it is stored; null where the source states none. */
  readonly digest: Digest | null;
  /** Length of the blob as it is stored, in bytes. */
  readonly size: number;
}

export interface Layer extends LayerSummary {
  readonly span: Span;
}

/** A layer whose blob is yet to be fetched. */
export interface RemoteLayer extends LayerSummary {
  readonly digest: Digest;
  /** Where else it can be had. */
  readonly urls: readonly string[];
}

/** What tells one image from another, whatever source it comes from. */
export interface ImageSummary {
  /** Digest of the config document. */
  readonly imageId: Digest;
  /** Null where the source has no manifest with a digest (docker-archive). */
  readonly manifestDigest: Digest | null;
  /** `linux/amd64`, as the config states it. */
  readonly platform: string;
  /** The base layer first. */
  readonly layers: readonly LayerSummary[];
}

/** A manifest or index as it is stored, whose digest is that of these bytes. */
export interface StoredDocument {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** What an image was read from, byte for byte. */
export interface ImageDocuments {
  readonly config: Buffer;
  /**
   * The manifest comes last, before it the indexes of a registry that lead to it, the outermost
   * first. Empty where the source has no manifest (docker-archive).
   */
  readonly chain: readonly StoredDocument[];
}

/** An image whose manifest and config have been read and verified; its layers are yet to be read. */
export interface Image<AnyLayer extends LayerSummary = Layer> extends ImageSummary {
  readonly config: RuntimeConfig;
  readonly layers: readonly AnyLayer[];
  readonly documents: ImageDocuments;
}
