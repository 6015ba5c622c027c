import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { digestOf } from "../../../src/oci/digest.js";
import { zstdOf } from "../../support/zstd-frames.js";
import { zstdFrame, zstdZeros } from "../../support/zstd-handmade.js";
import { zstdSample } from "../../support/zstd-sample.js";
import type { Input, Target } from "../fuzz-case.js";
import { layerSeeds } from "../seeds.js";
import { stageLayers } from "./stage-layers.js";

const base = layerSeeds["base"] ?? Buffer.alloc(0);
const diffId = digestOf(base);

function seed(bytes: Buffer): Input {
  return { blob: { kind: "bytes", bytes } };
}

/** Compressed layers, damaged after they were compressed. */
export const blobs: Target = {
  name: "blobs",
  share: 5,
  reaches: ["IMAGE_INVALID of a layer", "DIGEST_MISMATCH of a layer"],
  seeds: {
    gzip: seed(gzipSync(base)),
    "stored gzip": seed(gzipSync(base, { level: 0 })),
    "several gzip members": seed(Buffer.concat([gzipSync(base), gzipSync(Buffer.alloc(2000))])),
    "stored zstd": seed(zstdOf(base)),
    "zstd in one frame": seed(zstdFrame(base)),
    "compressed zstd": seed(Buffer.concat([zstdFrame(base), zstdSample])),
    "zeros in zstd": seed(Buffer.concat([zstdFrame(base), zstdZeros(8)])),
  },
  run: async ({ blob }, site) => {
    const bytes = blob?.bytes ?? Buffer.alloc(0);
    const path = `${site.directory}/blob`;
    writeFileSync(path, bytes);
    const span = { path, offset: 0, size: bytes.length };
    const digest = site.dice.chance(0.5) ? digestOf(bytes) : null;
    return await stageLayers([{ span, diffId, digest }], { ...site, workingDir: null });
  },
};
