// @ts-check
/** Writing a docker-archive: the tar file that `docker save` makes and many tools read. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/**
 * @typedef {object} Image
 * @property {string} tag such as `demo:latest`
 * @property {{ Env: string[], Cmd: string[], WorkingDir: string }} config
 * @property {readonly import("./layers.mjs").DemoLayer[]} layers lowest first
 */

/** Every time in the image: the same input makes the same bytes, and so the same digests. */
const TIME = new Date("2020-01-01T00:00:00Z");

/** Node's names for processors, as Go and OCI images spell them. */
const ARCHITECTURES = new Map([
  ["x64", "amd64"],
  ["ia32", "386"],
  ["ppc64", "ppc64le"],
]);

/**
 * @param {string} path
 * @param {Image} image
 */
export async function writeDockerArchive(path, image) {
  const layers = await Promise.all(image.layers.map(({ tree }) => layerTar(tree)));
  const diffIds = layers.map(sha256);
  const config = json(imageConfig(image, diffIds));
  const configName = `${sha256(config)}.json`;
  const layerNames = diffIds.map((hex) => `${hex}.tar`);
  const manifest = json([{ Config: configName, RepoTags: [image.tag], Layers: layerNames }]);

  const archive = pack();
  addFile(archive, "manifest.json", manifest);
  addFile(archive, configName, config);
  layers.forEach((layer, index) => {
    addFile(archive, `${diffIds[index]}.tar`, layer);
  });
  archive.finalize();
  const scratch = `${path}.${process.pid}`;
  await pipeline(archive, createWriteStream(scratch));
  await rename(scratch, path);
}

/**
 * @param {import("./host-tree.mjs").Tree} tree
 * @returns {Promise<Buffer>}
 */
async function layerTar(tree) {
  const tar = pack();
  // In this order a directory comes before what is in it.
  for (const name of [...tree.keys()].sort()) {
    const entry = tree.get(name);
    if (entry?.type === "file") {
      addFile(tar, name, entry.content, entry.mode);
    } else if (entry?.type === "symlink") {
      tar.entry({ name, type: "symlink", linkname: entry.target, mode: 0o777, mtime: TIME });
    } else {
      tar.entry({ name, type: "directory", mode: 0o755, mtime: TIME });
    }
  }
  tar.finalize();
  return buffer(tar);
}

/**
 * @param {import("tar-stream").Pack} tar
 * @param {string} name
 * @param {Buffer} content
 */
function addFile(tar, name, content, mode = 0o644) {
  tar.entry({ name, mode, mtime: TIME, size: content.length }, content);
}

/**
 * @param {Image} image
 * @param {readonly string[]} diffIds
 */
function imageConfig({ config, layers }, diffIds) {
  const created = TIME.toISOString().replace(".000", "");
  return {
    created,
    architecture: ARCHITECTURES.get(process.arch) ?? process.arch,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: diffIds.map((hex) => `sha256:${hex}`) },
    history: layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
  };
}

/** @param {unknown} value */
function json(value) {
  return Buffer.from(JSON.stringify(value));
}

/** @param {Buffer} content */
function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}
