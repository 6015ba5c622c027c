// @ts-check
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { which } from "../../scripts/lib/run.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";
import { HashTap } from "./hash-tap.mjs";

/** @typedef {"gzip" | "zstd"} Compression */

/**
 * Programs that compress, at their default level and without names or times in their output; the
 * first that is there is used.
 * @type {Readonly<Record<Compression, readonly (readonly [string, ...string[]])[]>>}
 */
const COMPRESSORS = {
  gzip: [
    ["pigz", "-nc"],
    ["gzip", "-nc"],
  ],
  zstd: [["zstd", "-qc"]],
};

/**
 * Why images of this compression can't be made here, or undefined when they can.
 * @param {Compression} compression
 */
export function compressorMissing(compression) {
  const programs = COMPRESSORS[compression].map(([program]) => program);
  return programs.some((program) => which(program) !== undefined)
    ? undefined
    : `${programs.join(" and ")} not installed`;
}

/**
 * Compresses a file into a directory of blobs, under the name of its digest.
 * @param {string} path
 * @param {{ compression: Compression, blobs: string }} options
 * @returns {Promise<{ path: string, digest: string, size: number }>}
 */
export async function compressToBlob(path, { compression, blobs }) {
  const compressor = COMPRESSORS[compression].find(([name]) => which(name) !== undefined);
  if (compressor === undefined) {
    throw new ScriptError(`no ${compression} images: ${compressorMissing(compression)}`);
  }
  const [program, ...options] = compressor;
  const child = spawn(program, [...options, path], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const tap = new HashTap();
  const scratch = join(blobs, "under-way");
  await pipeline(child.stdout, tap, createWriteStream(scratch));
  const [status] = await closed;
  if (status !== 0) {
    throw new ScriptError(`${program} ${path} gave status ${status}: see its message above`);
  }
  const hex = tap.hex();
  const blob = join(blobs, hex);
  renameSync(scratch, blob);
  return { path: blob, digest: `sha256:${hex}`, size: statSync(blob).size };
}
