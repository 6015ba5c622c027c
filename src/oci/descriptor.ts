import * as v from "valibot";
import type { Digest } from "./digest.js";
import { digestSchema } from "./document.js";

/** A reference to content by what it is (image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Length of the content in bytes. */
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform: DescriptorPlatform | undefined;
  /** Where else the content can be had, for layers that may not be passed on. */
  readonly urls: readonly string[];
  /** What the content is, where it is an artifact. */
  readonly artifactType: string | undefined;
}

export interface DescriptorPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

const platformSchema = v.pipe(
  v.object({
    os: v.string(),
    architecture: v.string(),
    variant: v.nullish(v.string()),
  }),
  v.transform(({ os, architecture, variant }): DescriptorPlatform => {
    return { os, architecture, variant: variant ?? undefined };
  }),
);

export const descriptorSchema: v.GenericSchema<unknown, Descriptor> = v.pipe(
  v.object({
    mediaType: v.string(),
    digest: digestSchema,
    size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    annotations: v.nullish(v.record(v.string(), v.string())),
    platform: v.nullish(platformSchema),
    urls: v.nullish(v.array(v.string())),
    artifactType: v.nullish(v.string()),
  }),
  v.transform(
    ({ mediaType, digest, size, annotations, platform, urls, artifactType }): Descriptor => ({
      mediaType,
      digest,
      size,
      annotations: annotations ?? {},
      platform: platform ?? undefined,
      urls: urls ?? [],
      artifactType: artifactType ?? undefined,
    }),
  ),
);
