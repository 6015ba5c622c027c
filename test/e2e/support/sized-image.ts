import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { writeFiles } from "../../support/file-set.js";
import { json } from "../../support/image-parts.js";
import { file, type LayerEntry, packLayer, sha256 } from "../../support/layers.js";
import { configType, LayoutBuilder, manifestType } from "../../support/oci-layout.js";
import { makeScratchDir } from "./places.js";

/** What a layer holds: so many files, each of so many bytes. */
export interface SizedLayer {
  readonly files: number;
  readonly size: number;
  /** Whether its content can be compressed, to hardly anything. */
  readonly isDull?: boolean;
}

const mebibyte = 1024 ** 2;

let count = 0;

/** How layers are stored: members of a gzip stream do not tell how long all of it is. */
export type LayerStorage = "plain" | "gzip" | "gzip members";

/** An OCI layout, for the running test, with layers of such sizes; no two of them are alike. */
export function sizedImage(
  layers: readonly SizedLayer[],
  { stored = "gzip" }: { stored?: LayerStorage } = {},
): string {
  const directory = makeScratchDir("image", { mode: 0o755 });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const layout = new LayoutBuilder();
  const tars = layers.map((layer) => packLayer(entriesOf(layer)));
  const config = json({
    os: "linux",
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    config: {},
    rootfs: { type: "layers", diff_ids: tars.map(sha256) },
  });
  const suffix = stored === "plain" ? "" : "+gzip";
  const manifest = json({
    schemaVersion: 2,
    mediaType: manifestType,
    config: layout.blob(config, configType),
    layers: tars.map((tar) => {
      const type = `application/vnd.oci.image.layer.v1.tar${suffix}`;
      return layout.blob(store(tar, stored), type);
    }),
  });
  return writeFiles(directory, layout.finish(layout.blob(manifest, manifestType)));
}

function store(tar: Buffer, stored: LayerStorage): Buffer {
  if (stored === "plain") return tar;
  if (stored === "gzip") return gzipSync(tar, { level: 1 });
  const members: Buffer[] = [];
  for (let at = 0; at < tar.length; at += mebibyte) {
    members.push(gzipSync(tar.subarray(at, at + mebibyte), { level: 1 }));
  }
  return Buffer.concat(members);
}

function entriesOf({ files, size, isDull = false }: SizedLayer): LayerEntry[] {
  return Array.from({ length: files }, () => {
    const name = `file-${count++}`;
    return file(name, isDull ? Buffer.alloc(size, name) : randomBytes(size));
  });
}
