import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  array,
  type InferOutput,
  looseObject,
  number,
  optional,
  parse,
  record,
  string,
  tuple,
} from "valibot";

const descriptorSchema = looseObject({ mediaType: string(), digest: string(), size: number() });

const indexSchema = looseObject({ manifests: tuple([descriptorSchema]) });

const manifestSchema = looseObject({
  config: descriptorSchema,
  layers: array(descriptorSchema),
});

const configSchema = looseObject({
  config: looseObject({
    Env: optional(array(string())),
    Entrypoint: optional(array(string())),
    Cmd: optional(array(string())),
    WorkingDir: optional(string()),
    Labels: optional(record(string(), string())),
  }),
  rootfs: looseObject({ diff_ids: array(string()) }),
});

/** The one image of an OCI layout. */
export interface LayoutImage {
  readonly manifestDigest: string;
  readonly manifest: InferOutput<typeof manifestSchema>;
  readonly config: InferOutput<typeof configSchema>;
}

/** The path of a blob of an OCI layout. */
export function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", ...digest.split(":"));
}

/** Reads index, manifest and config of an OCI layout that holds a single image. */
export function readLayout(layout: string): LayoutImage {
  const index = parse(indexSchema, JSON.parse(readFileSync(join(layout, "index.json"), "utf8")));
  const manifestDigest = index.manifests[0].digest;
  const blob = (digest: string): unknown =>
    JSON.parse(readFileSync(blobPath(layout, digest), "utf8"));
  const manifest = parse(manifestSchema, blob(manifestDigest));
  return { manifestDigest, manifest, config: parse(configSchema, blob(manifest.config.digest)) };
}
