import { createHash } from "node:crypto";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { buildOnce, keyOfSources } from "./build-once.js";
import { debianImage, debianImageNeeds } from "./debian-image.js";
import { readLayout } from "./oci-layout.js";
import type { Need } from "./programs.js";
import { registryNeeds, startRegistry } from "./registry.js";
import { packTar } from "./tar-writer.js";
import { umoci } from "./umoci.js";

/** What a test that uses {@link debianStorage} needs. */
export const debianRegistryNeeds: readonly Need[] = [...debianImageNeeds, ...registryNeeds];

/**
 * What a registry with this storage has. All but `more` and `docker` have the config of the image
 * that {@link debianImage} makes.
 */
export const debianTags = {
  /** Layers compressed with gzip, the manifest OCI's. */
  latest: "test/debian:latest",
  /** Layers compressed with zstd. */
  zstd: "test/debian:zstd",
  /** Docker's manifest; the layers are those of `latest`. */
  docker: "test/debian:docker",
  /** In another repository: the layers of `latest`, and one with the file `more`. */
  more: "test/more:latest",
} as const;

const sources = ["./debian-registry.ts", "./registry.ts"].map((file) => {
  return new URL(file, import.meta.url);
});

/** The storage of a registry that skopeo filled; on first use it is made. Serve it read-only. */
export async function debianStorage(): Promise<string> {
  const { forms, tag } = await debianImage();
  const { manifestDigest } = readLayout(forms.ociLayoutGzip);
  const key = createHash("sha256").update(manifestDigest).update(keyOfSources(sources));
  return await buildOnce({
    name: "registry",
    key: key.digest("hex").slice(0, 16),
    build: async (storage) => {
      const stops: (() => Promise<void>)[] = [];
      const atTheEnd = (stop: () => Promise<void>) => void stops.push(stop);
      try {
        const { host } = await startRegistry({ storage, readOnly: false, atTheEnd });
        const push = async (source: string, image: string, options: readonly string[] = []) => {
          const to = `docker://${host}/${image}`;
          const insecure = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
          await execa("skopeo", [...insecure, ...options, source, to]);
        };
        await push(`oci-archive:${forms.ociArchive}:${tag}`, debianTags.latest);
        await push(`oci:${forms.ociLayoutZstd}:${tag}`, debianTags.zstd);
        await push(`oci:${forms.ociLayoutGzip}:${tag}`, debianTags.docker, ["--format=v2s2"]);
        await withMore(forms.ociLayoutGzip, { tag, directory: storage }, async (source) => {
          await push(source, debianTags.more);
        });
      } finally {
        for (const stop of stops) await stop();
      }
    },
  });
}

/** Makes, for `use`, a copy of an image with one layer more. */
async function withMore(
  original: string,
  { tag, directory }: { tag: string; directory: string },
  use: (source: string) => Promise<void>,
): Promise<void> {
  const layout = join(directory, "more");
  const layer = join(directory, "more.tar");
  cpSync(original, layout, { recursive: true });
  writeFileSync(layer, await packTar([{ name: "more", content: "more\n", mtime: new Date(0) }]));
  await umoci(["raw", "add-layer", "--image", `${layout}:${tag}`, layer]);
  await use(`oci:${layout}:${tag}`);
  rmSync(layout, { recursive: true });
  rmSync(layer);
}
