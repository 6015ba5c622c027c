import { createHash } from "node:crypto";
import { dataPath, nixLayers, shellPath } from "./nix-layers.js";
import { packTar, type TarMember } from "./tar-writer.js";

const sha256 = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");

const member = (name: string, content: Buffer | string): TarMember => ({
  name,
  content,
  mode: 0o644,
  mtime: new Date(1000),
});

/** A docker-archive in the order in which Nix streams one: config and manifest.json come last. */
export async function composeNixArchive(
  busybox: Buffer,
): Promise<{ archive: Buffer; imageId: string; diffIds: string[] }> {
  const layers = await Promise.all(nixLayers(busybox).map(packTar));
  const hashes = layers.map(sha256);
  const diffIds = hashes.map((hash) => `sha256:${hash}`);
  const paths = hashes.map((hash) => `${hash}/layer.tar`);
  const config = JSON.stringify(imageConfig(diffIds));
  const manifest = [{ Config: `${sha256(config)}.json`, RepoTags: ["fixture:nix"], Layers: paths }];
  const archive = await packTar([
    ...layers.map((layer, index) => member(paths[index] ?? "", layer)),
    member(`${sha256(config)}.json`, config),
    member("manifest.json", JSON.stringify(manifest)),
  ]);
  return { archive, imageId: `sha256:${sha256(config)}`, diffIds };
}

function imageConfig(diffIds: readonly string[]): object {
  const created = "1970-01-01T00:00:01+00:00";
  return {
    created,
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: {
      Entrypoint: [`${shellPath}/bin/env`],
      Cmd: [`${shellPath}/bin/sh`, "-c", 'echo "$GREETING from $PWD"'],
      Env: [`PATH=${shellPath}/bin`, "GREETING=hello from the store"],
      WorkingDir: `${dataPath}/share`,
    },
    rootfs: { diff_ids: diffIds, type: "layers" },
    history: diffIds.map(() => ({ created, comment: "store paths" })),
  };
}
