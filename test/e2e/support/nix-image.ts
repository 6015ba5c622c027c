import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildOnce } from "./build-once.js";
import { debianImage, debianImageNeeds } from "./debian-image.js";
import { gzipFile } from "./image-forms.js";
import { composeNixArchive } from "./nix-archive.js";
import { dataPath, shellPath } from "./nix-layers.js";
import type { Need } from "./programs.js";

/** What a test that uses {@link nixImage} needs: its shell comes from the Debian image. */
export const nixImageNeeds: readonly Need[] = debianImageNeeds;

/** An image like those of Nix' dockerTools. */
export interface NixImage {
  /** A docker-archive as `streamLayeredImage` writes it. */
  readonly archive: string;
  /** As `buildLayeredImage` writes it: the same, compressed as a whole. */
  readonly archiveGzip: string;
  readonly imageId: string;
  /** One of them occurs twice. */
  readonly diffIds: readonly string[];
  /** The store path with a statically linked shell in it, bin/sh. */
  readonly shellPath: string;
  /** The store path that holds nothing but data. */
  readonly dataPath: string;
}

/** Builds the image on first use; later uses, in other runs too, find it ready. */
export async function nixImage(): Promise<NixImage> {
  const { busybox } = await debianImage();
  const { archive, imageId, diffIds } = await composeNixArchive(readFileSync(busybox));
  const dir = await buildOnce({
    name: "nix",
    key: imageId.slice("sha256:".length),
    build: async (target) => {
      writeFileSync(join(target, "nix.tar"), archive);
      await gzipFile(join(target, "nix.tar"), join(target, "nix.tar.gz"));
    },
  });
  return {
    archive: join(dir, "nix.tar"),
    archiveGzip: join(dir, "nix.tar.gz"),
    imageId,
    diffIds,
    shellPath,
    dataPath,
  };
}
