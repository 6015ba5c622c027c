import * as v from "valibot";
import type { Digest } from "../../oci/digest.js";
import { digestSchema } from "../../oci/document.js";

/** The member of a pack that says what it was made of; other readers of layouts pass it over. */
export const noteName = "stage-rootfs.json";

/** What a layout can't say of itself, and staging as from the source needs to know. */
export interface PackNote {
  readonly schemaVersion: 1;
  /** What was packed, in the spelling of `referenceName`. */
  readonly reference: string;
  /** When the source was asked, in milliseconds since 1970. */
  readonly checkedAt: number;
  /** What the registry has under the reference; null where the source is no registry. */
  readonly digest: Digest | null;
  /** The registry's indexes that lead to the manifest, the outermost first, in base64. */
  readonly indexes: readonly { readonly mediaType: string; readonly data: string }[];
  /** Size and times of the file that was packed; null where the source is not known by one. */
  readonly fileState: string | null;
  /** Whether the source has a manifest of its own; else the pack's was made for it. */
  readonly hasManifest: boolean;
  /** What the source says that its layers' blobs are; null where it does not say. */
  readonly layerDigests: readonly (Digest | null)[];
}

export const noteSchema: v.GenericSchema<unknown, PackNote> = v.object({
  schemaVersion: v.literal(1),
  reference: v.string(),
  checkedAt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  digest: v.nullable(digestSchema),
  indexes: v.array(v.object({ mediaType: v.string(), data: v.string() })),
  fileState: v.nullable(v.string()),
  hasManifest: v.boolean(),
  layerDigests: v.array(v.nullable(digestSchema)),
});
