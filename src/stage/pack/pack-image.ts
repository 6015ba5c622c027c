import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { prepareCache } from "../../cache/place/location.js";
import { fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { lstatIfAny } from "../../host/lstat-if-any.js";
import type { Span } from "../../host/span.js";
import type { Image, Layer, RemoteLayer } from "../../oci/image.js";
import { layoutFileName, layoutIndexName } from "../../oci/sources/oci-layout.js";
import { checkRequest, type StageOptions, type StageRequest } from "../request.js";
import { withFetchedBlob } from "../sources/fetch-blob.js";
import { ImageOpener } from "../sources/image-opener.js";
import { sourceIdentity } from "../sources/known-source.js";
import { waitingEvent } from "../waiting-event.js";
import { type ArchiveWriter, blobName, writeArchive } from "./archive-writer.js";
import { noteName, type PackNote } from "./note.js";
import { packName, referenceName } from "./pack-name.js";
import { type PackPlan, planPack } from "./pack-plan.js";
import { type Pack, readPack } from "./read-pack.js";

export interface PackOptions extends StageOptions {
  /** Where the pack goes; made where it is missing. */
  readonly directory: string;
}

/** A pack that is there. */
export interface PackedImage {
  readonly path: string;
  /** Length in bytes. */
  readonly size: number;
  /** Whether one of the same image was there already. */
  readonly reused: boolean;
  /** Bytes that registries have sent. */
  readonly fetched: number;
}

/** How many blobs are fetched at once, unless it is said. */
const usualFetches = 6;

/**
 * Writes an image as one file that other nodes can stage it from, under the reference that is given
 * here: an OCI image layout in a tar archive (image-spec, image-layout.md) with the manifest, config
 * and layers of one platform as they are stored, and a note of where they are from. All of it is
 * checked against its digests on the way; what a docker-archive has no digests for, against the
 * diffIDs of its config. The file is there once it is complete; one that is there for the same image
 * stays. Blobs of a registry come by way of the cache's `blobs/`, from where a fetching that broke
 * off goes on.
 * @throws StageError with any code but SANDBOX; what `options.signal` was aborted with
 */
export async function packImage(image: string, options: PackOptions): Promise<PackedImage> {
  options.signal?.throwIfAborted();
  const request = checkRequest(image, options);
  if (request.reference.transport === "stdin") {
    throw new StageError("USAGE", "what comes on standard input has no name to be staged by", {
      hint: "write it to a file first",
    });
  }
  const path = join(options.directory, packName(request));
  const opener = new ImageOpener(request);
  try {
    mkdirSync(options.directory, { recursive: true });
    if (await isUpToDate(packAt(path, request), { request, opener })) {
      return { path, size: statSync(path).size, reused: true, fetched: 0 };
    }
    const checkedAt = Date.now();
    const { limits } = request;
    const { signal } = options;
    const opened = await opener.open();
    const plan = await planPack(opened, { limits, signal });
    const note = noteOf(request, { image: opened, checkedAt });
    let fetched = 0;
    await writeArchive(path, {
      signal,
      work: async (archive) => {
        await writeDocuments(archive, { plan, note });
        fetched = await writeLayers(archive, { plan, request, opener });
      },
    });
    return { path, size: statSync(path).size, reused: false, fetched };
  } catch (error) {
    throw fromSystemError(error, `pack ${printable(image)}`);
  } finally {
    await opener.close();
  }
}

/**
 * The pack under a path; undefined for what is none, which is written anew. So is what somebody else
 * can have put there: a note may say of any content that it is the image's.
 */
function packAt(path: string, request: StageRequest): Pack | undefined {
  try {
    const stat = lstatIfAny(path);
    const isOurs = stat !== undefined && [request.uid, 0].includes(stat.uid);
    if (!isOurs || !stat.isFile() || (stat.mode & 0o002) !== 0) return undefined;
    return readPack(path, request);
  } catch (error) {
    if (error instanceof StageError) return undefined;
    throw error;
  }
}

async function isUpToDate(
  pack: Pack | undefined,
  { request, opener }: { request: StageRequest; opener: ImageOpener },
): Promise<boolean> {
  if (!pack) return false;
  const { digest, fileState } = pack.note;
  if (request.reference.registry) return digest === (await opener.registryDigest());
  return fileState !== null && fileState === sourceIdentity(request)?.identity.state;
}

function noteOf(
  request: StageRequest,
  { image, checkedAt }: { image: Image<Layer | RemoteLayer>; checkedAt: number },
): PackNote {
  const { chain } = image.documents;
  const isRemote = request.reference.registry !== undefined;
  return {
    schemaVersion: 1,
    reference: referenceName(request),
    checkedAt,
    digest: (isRemote ? chain[0]?.digest : undefined) ?? null,
    indexes: chain.slice(0, -1).map(({ mediaType, bytes }) => {
      return { mediaType, data: bytes.toString("base64") };
    }),
    fileState: isRemote ? null : (sourceIdentity(request)?.identity.state ?? null),
    hasManifest: chain.length > 0,
    layerDigests: image.layers.map(({ digest }) => digest),
  };
}

async function writeDocuments(
  archive: ArchiveWriter,
  { plan, note }: { plan: PackPlan; note: PackNote },
): Promise<void> {
  const { manifest, config } = plan;
  const { mediaType, digest, size } = manifest;
  const annotations = { "org.opencontainers.image.ref.name": note.reference };
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size, annotations }] };
  await archive.add(layoutFileName, jsonBytes({ imageLayoutVersion: "1.0.0" }));
  await archive.add(noteName, jsonBytes(note));
  await archive.add(layoutIndexName, jsonBytes(index));
  await archive.add(blobName(manifest.digest), manifest.bytes);
  await archive.add(blobName(config.digest), config.bytes);
}

function jsonBytes(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** @returns how many bytes registries have sent */
async function writeLayers(
  archive: ArchiveWriter,
  from: { plan: PackPlan; request: StageRequest; opener: ImageOpener },
): Promise<number> {
  const { plan, request, opener } = from;
  const { options, layout } = request;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])]);
  const fetches = pLimit(options.jobs ?? usualFetches);
  const inTurn = pLimit(1);
  let [fetched, finished] = [0, 0];
  const write = async ({ digest, layer }: PackPlan["layers"][number]) => {
    const copy = (span: Span) => {
      return inTurn(async () => {
        await archive.addBlob(digest, span);
        finished++;
      });
    };
    if ("span" in layer) return await copy(layer.span);
    const registry = await opener.registry();
    prepareCache(request);
    const what = `the blob ${digest}`;
    await fetches(async () => {
      signal.throwIfAborted();
      const { diffId, size } = layer;
      const layers = { finished, total: plan.layers.length };
      options.onEvent?.({ type: "layer", diffId, size, state: "fetching", layers });
      await withFetchedBlob(request, {
        wait: options.wait,
        signal,
        onWait: (owner, waitedMs) => {
          options.onEvent?.(waitingEvent(layout, { what, owner, waitedMs }));
        },
        registry,
        layer,
        whole: true,
        onBytes: (count) => {
          fetched += count;
        },
        use: copy,
      });
    });
  };
  const failing = (error: unknown) => {
    if (!stop.signal.aborted) stop.abort(error);
    throw error;
  };
  await Promise.allSettled(plan.layers.map((blob) => write(blob).catch(failing)));
  // The first failure, and not those that followed from it.
  signal.throwIfAborted();
  return fetched;
}
