import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Digest } from "../../../src/oci/digest.js";
import { Dice } from "../../fuzz/dice.js";
import { writeFiles } from "../../support/file-set.js";
import { json } from "../../support/image-parts.js";
import { directory, file, hardLink, type LayerEntry, packLayer } from "../../support/layers.js";
import { configType, LayoutBuilder, manifestType } from "../../support/oci-layout.js";
import { endOfArchive, headerBlock } from "../../support/tar-blocks.js";
import { buildOnce, keyOfSources } from "./build-once.js";

const mebibyte = 1024 ** 2;

/** The size of the image's large files together, in bytes. */
export const largeImageSize: number = 288 * mebibyte;

/**
 * An image of one layer that is unpacked in stages: many small files and a few large ones. It is
 * made in no time, because its large files are the same compressed piece again and again.
 * @returns an OCI layout
 */
export async function largeImage(): Promise<string> {
  return await imageOf("large", { parts: 12, size: largeImageSize / 12 });
}

/** The same with a layer that is unpacked by one thread, and whose blob is read at once. */
export async function smallImage(): Promise<string> {
  return await imageOf("small", { parts: 4, size: 2 * mebibyte });
}

/** How many directories a layer has, and the size of the large file in each, in bytes. */
interface Shape {
  readonly parts: number;
  readonly size: number;
}

async function imageOf(name: string, shape: Shape): Promise<string> {
  return await buildOnce({
    name,
    key: keyOfSources([new URL("./large-image.ts", import.meta.url)]),
    build: async (dir) => {
      const layout = new LayoutBuilder();
      const { blob, diffId } = layer(shape);
      const rootfs = { type: "layers", diff_ids: [diffId] };
      const config = json({ os: "linux", architecture: architecture(), config: {}, rootfs });
      const manifest = json({
        schemaVersion: 2,
        mediaType: manifestType,
        config: layout.blob(config, configType),
        layers: [layout.blob(blob, "application/vnd.oci.image.layer.v1.tar+gzip")],
      });
      writeFiles(dir, layout.finish(layout.blob(manifest, manifestType)));
    },
  });
}

/** A layer as a gzip stream of many members. */
function layer({ parts, size }: Shape): { blob: Buffer; diffId: Digest } {
  const members: Buffer[] = [];
  const hash = createHash("sha256");
  const add = (tar: Buffer, packed = gzipSync(tar, { level: 1 })) => {
    hash.update(tar);
    members.push(packed);
  };
  const piece = pieceOfFile();
  const packed = gzipSync(piece, { level: 1 });
  for (let part = 0; part < parts; part++) {
    add(withoutEnd(packLayer(smallFiles(part))));
    add(headerBlock({ name: `part${part}/large`, size }));
    for (let at = 0; at < size; at += piece.length) add(piece, packed);
  }
  add(endOfArchive);
  return { blob: Buffer.concat(members), diffId: `sha256:${hash.digest("hex")}` };
}

function smallFiles(part: number): LayerEntry[] {
  const names = Array.from({ length: 250 }, (_, i) => `part${part}/small${i}`);
  return [
    directory(`part${part}`, { mtime: 1000 + part }),
    ...names.map((name, i) => file(name, name.repeat(i % 40), { mtime: i })),
    ...names.slice(0, 20).map((name) => hardLink(`${name}-again`, name)),
  ];
}

/** A mebibyte, half of it worth compressing. */
function pieceOfFile(): Buffer {
  const dice = new Dice(1);
  const piece = Buffer.alloc(mebibyte, "a line of text that comes again\n");
  for (let at = 0; at < mebibyte / 2; at += 4) piece.writeUInt32LE(dice.seed(), at);
  return piece;
}

function withoutEnd(tar: Buffer): Buffer {
  return tar.subarray(0, -endOfArchive.length);
}

function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
