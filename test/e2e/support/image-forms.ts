import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { readLayout } from "./oci-layout.js";
import type { LayoutReference } from "./umoci.js";

/** The names of the forms, as file names below the image's directory. */
const formFiles = {
  dockerArchive: "docker-archive.tar",
  dockerArchiveGzip: "docker-archive.tar.gz",
  ociArchive: "oci-archive.tar",
  ociLayoutGzip: "layout-gzip",
  ociLayoutZstd: "layout-zstd",
  ociLayoutPlain: "layout-plain",
} as const;

/** The paths of one image in each of its forms. */
export type ImageForms = Readonly<Record<keyof typeof formFiles, string>>;

/** Where {@link makeForms} puts the forms of the image in `dir`. */
export function formsIn(dir: string): ImageForms {
  return {
    dockerArchive: join(dir, formFiles.dockerArchive),
    dockerArchiveGzip: join(dir, formFiles.dockerArchiveGzip),
    ociArchive: join(dir, formFiles.ociArchive),
    ociLayoutGzip: join(dir, formFiles.ociLayoutGzip),
    ociLayoutZstd: join(dir, formFiles.ociLayoutZstd),
    ociLayoutPlain: join(dir, formFiles.ociLayoutPlain),
  };
}

/**
 * Makes the other forms of an image from its layout with gzip-compressed layers, which must be
 * `formsIn(dir).ociLayoutGzip`. Every copy starts from an OCI manifest, because skopeo then copies
 * the config byte for byte; from a docker-archive it would write a config of its own.
 */
export async function makeForms(dir: string, { layout, tag }: LayoutReference): Promise<void> {
  const forms = formsIn(dir);
  const source = `oci:${layout}:${tag}`;
  await Promise.all([
    makeDockerArchives(forms, source, tag),
    skopeoCopy([source, `oci-archive:${forms.ociArchive}:${tag}`]),
    skopeoCopy(["--dest-compress-format=zstd", source, `oci:${forms.ociLayoutZstd}:${tag}`]),
    makePlainLayout(join(dir, "decompressed"), source, `oci:${forms.ociLayoutPlain}:${tag}`),
  ]);

  const { digest } = readLayout(layout).manifest.config;
  for (const copy of [forms.ociLayoutZstd, forms.ociLayoutPlain]) {
    if (readLayout(copy).manifest.config.digest !== digest) {
      throw new Error(
        `skopeo changed the config on the way to ${copy}: use another version of it.`,
      );
    }
  }
}

async function makeDockerArchives(forms: ImageForms, source: string, tag: string): Promise<void> {
  await skopeoCopy([source, `docker-archive:${forms.dockerArchive}:example/debian:${tag}`]);
  await gzipFile(forms.dockerArchive, forms.dockerArchiveGzip);
}

/** Only skopeo's transport "dir:" decompresses; "oci:" then takes the layers as they are. */
async function makePlainLayout(work: string, source: string, target: string): Promise<void> {
  await skopeoCopy(["--dest-decompress", source, `dir:${work}`]);
  await skopeoCopy(["--dest-oci-accept-uncompressed-layers", `dir:${work}`, target]);
  await rm(work, { recursive: true });
}

async function skopeoCopy(args: readonly string[]): Promise<void> {
  await execa("skopeo", ["--insecure-policy", "copy", "--quiet", ...args]);
}

/** Compresses a file as a whole. */
export async function gzipFile(from: string, to: string): Promise<void> {
  const gzip = execa("gzip", ["--stdout", "--no-name", "--fast", from], { buffer: false });
  await pipeline(gzip.stdout, createWriteStream(to));
  await gzip;
}
