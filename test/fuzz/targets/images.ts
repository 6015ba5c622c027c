import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { zstdOf } from "../../support/zstd-frames.js";
import type { Input, Part, Target } from "../fuzz-case.js";
import { filesOf, imageSeeds } from "../image-seeds.js";
import { storages } from "../seeds.js";
import { packed } from "./archives.js";
import { openAndStage } from "./open-and-stage.js";

type Named = [name: string, part: Part];

/** Whole images whose documents and layers are mutated, with all digests right afterwards. */
export const images: Target = {
  name: "images",
  share: 4,
  reaches: ["a rootfs", "IMAGE_INVALID of an image", "IMAGE_INVALID of a layer"],
  seeds: Object.fromEntries(
    Object.entries(imageSeeds).map(([name, { layers, ...documents }]): [string, Input] => [
      name,
      Object.fromEntries([
        ...Object.entries(documents).map(([part, bytes]): Named => [part, { kind: "json", bytes }]),
        ...layers.map((bytes, i): Named => [`layer${i}`, { kind: "tar", bytes }]),
      ]),
    ]),
  ),
  run: async (input, site) => {
    const store = site.dice.pick(storages);
    const files = filesOf(partsOf(input), store);
    const path = `${site.directory}/image`;
    if (site.dice.chance(0.4)) {
      writeDirectory(path, files);
      return await openAndStage(path, { ...site, transports: ["path", "oci", "docker-archive"] });
    }
    const pack = site.dice.pick([(tar: Buffer) => tar, gzipSync, zstdOf]);
    writeFileSync(path, pack(packed(files, { asLinks: site.dice.chance(0.3) })));
    return await openAndStage(path, {
      ...site,
      transports: ["path", "oci-archive", "docker-archive"],
    });
  },
};

function partsOf(input: Input) {
  const bytes = (part: Part | undefined) => part?.bytes ?? Buffer.alloc(0);
  const { config, manifest, index, layout, saved } = input;
  const layers = Object.entries(input).filter(([name]) => name.startsWith("layer"));
  return {
    layers: layers.map(([, part]) => bytes(part)),
    config: bytes(config),
    manifest: bytes(manifest),
    index: bytes(index),
    layout: bytes(layout),
    saved: bytes(saved),
  };
}

/** The files in a directory, beside links that lead out of it. */
function writeDirectory(path: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(`${path}/${name}`), { recursive: true });
    writeFileSync(`${path}/${name}`, bytes);
  }
  symlinkSync("../../canary/f", `${path}/out.json`);
  symlinkSync("../../canary", `${path}/out`);
}
