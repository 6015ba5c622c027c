import { closeSync, createReadStream, statSync } from "node:fs";
import { errnoOf, fromSystemError, StageError, within } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Compression, detectCompression } from "../host/compression.js";
import { openRegularFile, readFully } from "../host/span.js";
import type { Bundle } from "./bundle/bundle.js";
import { openDirectory } from "./bundle/directory.js";
import { openTarFile } from "./bundle/tar-file.js";
import { checkImage } from "./check-image.js";
import type { Image } from "./image.js";
import { defaultLimits, type Limits } from "./limits.js";
import type { Platform } from "./platform.js";
import { divideLocation, type Location, type Reference, type Transport } from "./reference.js";
import { dockerManifestName, readDockerArchive } from "./sources/docker-archive.js";
import { layoutFileName, layoutIndexName, readOciLayout } from "./sources/oci-layout.js";
import { resolveLab } from "./sources/repx-lab.js";
import { blockSize, looksLikeTar } from "./tar/header.js";

export interface OpenImageOptions {
  /** Which platform's image; undefined for the host's. */
  readonly platform?: Platform | undefined;
  /**
   * Gives an empty directory for the contents of an archive that can't be read by seeking. Called
   * at most once, and only for such an archive; its files must stay until the layers are read.
   */
  readonly spoolDirectory: () => string;
  readonly limits?: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the image that a reference names, and reads and verifies its manifest and config.
 * @throws StageError NOT_FOUND, REFERENCE_AMBIGUOUS, IMAGE_INVALID, IMAGE_UNSUPPORTED,
 * DIGEST_MISMATCH, PERMISSION, NO_SPACE; what `signal` was aborted with
 */
export async function openImage(given: Reference, options: OpenImageOptions): Promise<Image> {
  const reference = resolveLab(given);
  const { transport } = reference;
  const at = transport === "stdin" ? standardInput : locate(reference);
  const bundle =
    transport === "stdin"
      ? await spoolInput(options)
      : await openBundle(at.path, { ...options, transport, lab: reference.lab });
  const image = readImage(bundle, { ...options, transport, choice: at.choice });
  const { label, limits } = bundle;
  checkImage(image, { label, limits, platform: options.platform });
  return image;
}

/** @throws StageError PERMISSION where that can't be told */
function pathExists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? "";
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(errno)) return false;
    throw fromSystemError(error, `read ${printable(path)}`);
  }
}

const standardInput: Location = { path: "-", choice: undefined };

/**
 * The file or directory that a reference means, and which image in it.
 * @throws StageError NOT_FOUND
 */
export function locate({ transport, location }: Reference): Location {
  const found = divideLocation(location, pathExists);
  if (found) return found;
  const isName = transport === "path" && !/^[./]|:\/\/|\.(?:tar|tgz|gz|zst)$/.test(location);
  throw new StageError("NOT_FOUND", `no such file or directory: ${printable(location)}`, {
    hint: isName
      ? `if this is an image of a registry, write docker://${printable(location)}`
      : undefined,
  });
}

async function openBundle(
  path: string,
  options: OpenImageOptions & { transport: Transport; lab: string | undefined },
): Promise<Bundle> {
  const isDirectory = isDirectoryAt(path);
  if (isDirectory && options.transport === "oci-archive") {
    throw new StageError("IMAGE_INVALID", `${printable(path)} is a directory, not an archive`, {
      hint: `write oci:${printable(path)}`,
    });
  }
  if (!isDirectory && options.transport === "oci") {
    throw new StageError("IMAGE_INVALID", `${printable(path)} is not a directory`, {
      hint: `write oci-archive:${printable(path)}`,
    });
  }
  if (isDirectory) return openDirectory(path, options);
  if (!needsSpooling(path)) return openTarFile(path, options.limits);
  return await spool({ ...options, archive: contentOf(path), label: path });
}

/** Opens the file when it is first read: nobody would close it for a reader that never begins. */
async function* contentOf(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path);
}

function isDirectoryAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fromSystemError(error, `read ${printable(path)}`);
  }
}

/**
 * Whether an archive can't be read by seeking, because it is compressed.
 * @throws StageError IMAGE_INVALID for a file that is neither a tar archive nor a compressed one
 */
export function needsSpooling(path: string): boolean {
  const { fd } = openRegularFile(path);
  try {
    const block = Buffer.alloc(blockSize);
    const start = block.subarray(0, readFully(fd, block, 0));
    if (compressionOf(path, start) !== "none") return true;
    if (looksLikeTar(start)) return false;
    const what = start.length === 0 ? "is empty" : "is no image archive";
    throw new StageError("IMAGE_INVALID", `${printable(path)} ${what}`, {
      hint: "expected a docker-archive or oci-archive (tar, plain or compressed with gzip or zstd)",
    });
  } catch (error) {
    throw fromSystemError(error, `read ${printable(path)}`);
  } finally {
    closeSync(fd);
  }
}

function compressionOf(path: string, start: Buffer): Compression {
  try {
    return detectCompression(start);
  } catch (error) {
    throw within(printable(path), error);
  }
}

/** Reads standard input. When that fails, whoever holds it open is not waited for. */
async function spoolInput(options: OpenImageOptions): Promise<Bundle> {
  const { stdin } = process;
  try {
    return await spool({ ...options, archive: stdin, label: "standard input" });
  } catch (error) {
    stdin.destroy();
    throw error;
  }
}

async function spool(
  options: OpenImageOptions & { archive: AsyncIterable<Buffer>; label: string },
): Promise<Bundle> {
  const { archive, label, signal, limits = defaultLimits } = options;
  // What it needs takes long to load, and most images don't need it.
  const { spoolArchive } = await import("./bundle/spool.js");
  return await spoolArchive(archive, {
    label,
    directory: options.spoolDirectory(),
    limits,
    signal,
  });
}

function readImage(
  bundle: Bundle,
  options: { transport: Transport; choice: string | undefined; platform?: Platform | undefined },
): Image {
  const { transport, choice, platform } = options;
  const isDocker = bundle.find(dockerManifestName) !== undefined;
  const isOci = bundle.find(layoutFileName) ?? bundle.find(layoutIndexName);
  // Since Docker 25 an archive is both; manifest.json names just what was saved.
  if (
    transport === "docker-archive" ||
    (isDocker && transport !== "oci" && transport !== "oci-archive")
  ) {
    return readDockerArchive(bundle, choice);
  }
  if (isOci || transport === "oci" || transport === "oci-archive") {
    return readOciLayout(bundle, { choice, platform });
  }
  throw new StageError(
    "IMAGE_INVALID",
    `${bundle.label} holds no image: neither ${dockerManifestName} nor ${layoutFileName} is in it`,
  );
}
