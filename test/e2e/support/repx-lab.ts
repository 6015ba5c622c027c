import { chmodSync, copyFileSync, mkdirSync, readdirSync, renameSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { nixImage } from "./nix-image.js";

/**
 * Adds an image of Nix's to a Lab as RepX builds one: unpacked, with each layer a relative link into
 * the Lab's store.
 */
export async function addUnpackedImage(lab: string, name: string): Promise<void> {
  const { archive } = await nixImage();
  const image = join(lab, "images", name);
  mkdirSync(image, { recursive: true });
  mkdirSync(join(lab, "store"), { recursive: true });
  await execa("tar", ["-xf", archive, "--no-same-owner", "-C", image]);
  for (const hash of readdirSync(image)) {
    const layer = join(image, hash, "layer.tar");
    if (hash.includes(".")) continue;
    renameSync(layer, join(lab, "store", `${hash}-layer.tar`));
    symlinkSync(`../../../store/${hash}-layer.tar`, layer);
  }
  await execa("chmod", ["-R", "a+rX", lab]);
}

/** Adds the same image as the tarball that Nix builds, at a path of the Lab. */
export async function addTarball(lab: string, path: string): Promise<void> {
  const { archive, archiveGzip } = await nixImage();
  const file = join(lab, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(path.endsWith(".gz") ? archiveGzip : archive, file);
  chmodSync(file, 0o644);
}
