import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
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

/** Has an unpacked image's layers be called `blobs/sha256/<hex>`, as Docker does since version 25. */
export function renameLayersAsDocker(lab: string, name: string): void {
  const image = join(lab, "images", name);
  const path = join(image, "manifest.json");
  const manifest = readFileSync(path, "utf8");
  mkdirSync(join(image, "blobs/sha256"), { recursive: true });
  for (const hash of new Set(manifest.match(/[0-9a-f]{64}(?=\/layer\.tar)/g))) {
    copyFileSync(join(image, hash, "layer.tar"), join(image, "blobs/sha256", hash));
    rmSync(join(image, hash), { recursive: true });
  }
  writeFileSync(path, manifest.replaceAll(/([0-9a-f]{64})\/layer\.tar/g, "blobs/sha256/$1"));
}

/** Adds the same image as the tarball that Nix builds, at a path of the Lab. */
export async function addTarball(lab: string, path: string): Promise<void> {
  const { archive, archiveGzip } = await nixImage();
  const file = join(lab, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(path.endsWith(".gz") ? archiveGzip : archive, file);
  chmodSync(file, 0o644);
}
