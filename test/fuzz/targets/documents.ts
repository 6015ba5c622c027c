import { parseConfig } from "../../../src/oci/config.js";
import { isDigest } from "../../../src/oci/digest.js";
import { parseIndex, parseManifest } from "../../../src/oci/manifest.js";
import { parseReference } from "../../../src/oci/reference.js";
import type { Input, Target } from "../fuzz-case.js";
import { imageSeeds, resolved } from "../image-seeds.js";
import { imageCodes, outcomeOf } from "../outcome.js";

/** Manifests, indexes and configs, each read as all three. */
export const documents: Target = {
  name: "documents",
  share: 38,
  reaches: ["a config", "a manifest", "an index", "IMAGE_INVALID", "IMAGE_UNSUPPORTED"],
  seeds: Object.fromEntries(
    Object.entries(imageSeeds).flatMap(([name, { layers, config, manifest, index, layout }]) => {
      const known = new Map<string, Buffer>([
        ["config", config],
        ["manifest", manifest],
        ["inner", index],
      ]);
      for (const [i, layer] of layers.entries())
        known.set(`layer${i}`, layer).set(`blob${i}`, layer);
      return Object.entries({ config, manifest, index, layout }).map(
        ([kind, bytes]): [string, Input] => [
          `${kind} with ${name}`,
          { document: { kind: "json", bytes: resolved(bytes, known) } },
        ],
      );
    }),
  ),
  run: ({ document }) => {
    const bytes = document?.bytes ?? Buffer.alloc(0);
    const what = "a document";
    const config = outcomeOf(() => parseConfig(bytes, what), imageCodes);
    const manifest = outcomeOf(() => parseManifest(bytes, what), imageCodes);
    const index = outcomeOf(() => parseIndex(bytes, what), imageCodes);
    if (config.ok) checkConfig(config.value);
    const descriptors = [
      ...(manifest.ok ? [manifest.value.config, ...manifest.value.layers] : []),
      ...(index.ok ? index.value.manifests : []),
    ];
    for (const { digest, size } of descriptors) {
      if (!isDigest(digest)) throw new Error(`no digest: ${digest}`);
      if (!Number.isSafeInteger(size) || size < 0) throw new Error(`no size: ${size}`);
    }
    outcomeOf(() => parseReference(bytes.toString("utf8", 0, 300)), ["USAGE"]);
    if (manifest.ok && index.ok) throw new Error("taken for a manifest and for an index");
    if (config.ok) return "a config";
    if (manifest.ok) return "a manifest";
    if (index.ok) return "an index";
    const codes = [config, manifest, index].map(({ refusal }) => refusal.code);
    return codes.find((code) => code !== "IMAGE_INVALID") ?? "IMAGE_INVALID";
  },
};

function checkConfig({ runtime }: ReturnType<typeof parseConfig>): void {
  const { user, env, entrypoint, cmd, workingDir, volumes, stopSignal } = runtime;
  const words = [user, ...env, ...(entrypoint ?? []), ...(cmd ?? []), workingDir, stopSignal];
  for (const word of [...words, ...volumes]) {
    if (word?.includes("\0")) throw new Error(`a NUL in ${JSON.stringify(word.slice(0, 100))}`);
  }
  if (workingDir !== null && !isPlain(workingDir)) {
    throw new Error(`no plain working directory: ${JSON.stringify(workingDir.slice(0, 100))}`);
  }
}

function isPlain(path: string): boolean {
  return path.startsWith("/") && !path.split("/").includes("..");
}
