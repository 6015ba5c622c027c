import { writeFileSync } from "node:fs";
import { type LayerEntry, packLayer, sha256 } from "./layers.js";
import { scratchDirectory } from "./scratch-directory.js";
import { archiveOf, member } from "./tar-blocks.js";

export interface ArchiveOptions {
  /** The property `config` of the image's config. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What is stored for the layers, where it is not what the config says. */
  readonly stored?: readonly Buffer[];
  readonly tags?: readonly string[];
  readonly architecture?: string;
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64" };

/** A docker-archive with layers of the given entries, the base first. */
export function dockerArchive(
  layers: readonly (readonly LayerEntry[])[],
  options: ArchiveOptions = {},
): Buffer {
  const { config: runtime = {}, tags = ["demo:latest"] } = options;
  const tars = layers.map((entries) => packLayer(entries));
  const config = Buffer.from(
    JSON.stringify({
      os: "linux",
      architecture: options.architecture ?? architectures[process.arch] ?? process.arch,
      config: runtime,
      rootfs: { type: "layers", diff_ids: tars.map(sha256) },
    }),
  );
  const name = `${sha256(config).slice("sha256:".length)}.json`;
  const names = tars.map((_, i) => `layer-${i}/layer.tar`);
  const manifest = JSON.stringify([{ Config: name, RepoTags: tags, Layers: names }]);
  return archiveOf(
    member({ name: "manifest.json" }, manifest),
    member({ name }, config),
    ...names.map((layer, i) => member({ name: layer }, options.stored?.[i] ?? tars[i])),
  );
}

/** The same as a file. @returns its path */
export function archiveFile(...args: Parameters<typeof dockerArchive>): string {
  const path = `${scratchDirectory()}/image.tar`;
  writeFileSync(path, dockerArchive(...args));
  return path;
}
