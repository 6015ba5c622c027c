import { lstatSync, rmSync } from "node:fs";
import { lockOrAdopt } from "../../cache/locks/lock.js";
import type { WaitOptions } from "../../cache/publish.js";
import { fromSystemError, StageError } from "../../errors.js";
import { createGrowth, type Growth, grow, stopGrowth } from "../../host/growth.js";
import { removeTree } from "../../host/remove-tree.js";
import type { Span } from "../../host/span.js";
import type { RemoteLayer } from "../../oci/image.js";
import { downloadBlob } from "../../oci/registry/download.js";
import type { Registry } from "../../oci/registry/registry.js";
import type { StageRequest } from "../request.js";

export interface FetchOptions<Value> extends WaitOptions {
  readonly registry: Registry;
  readonly layer: RemoteLayer;
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
  /** Whether all of the blob is to be there before it is read. Default: false. */
  readonly whole?: boolean;
  /** Reads the blob, mostly while it comes. It is a file, which may still be being written. */
  readonly use: (span: Span) => Promise<Value>;
}

/**
 * Fetches a layer's blob and has it read meanwhile. What came of one whose fetching broke off stays,
 * and the next process goes on from there; one that is not what it should be goes.
 * @throws what `use` and {@link downloadBlob} throw
 */
export async function withFetchedBlob<Value>(
  { layout }: StageRequest,
  options: FetchOptions<Value>,
): Promise<Value> {
  const name = options.layer.digest.replace(":", "-");
  const path = layout.blob(name);
  const outcome = await lockOrAdopt<never>(layout.lock(`blob-${name}`), {
    ...options,
    what: `the blob ${options.layer.digest}`,
    adopt: () => undefined,
  });
  if (outcome.kind === "adopted") return outcome.value;
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    // Nothing of ours: a fifo would block whoever opens it.
    if (found && !found.isFile()) removeTree(path);
    const isBegun = found?.isFile() === true && found.size > 0;
    try {
      return await fetchAndUse(path, options);
    } catch (error) {
      // It may be the beginning that an earlier process left, torn when the power failed.
      if (!(isBegun && isAboutContent(error))) throw error;
      return await fetchAndUse(path, options);
    }
  } finally {
    await outcome.release();
  }
}

async function fetchAndUse<Value>(path: string, options: FetchOptions<Value>): Promise<Value> {
  const { registry, layer, onBytes, use, whole = false } = options;
  const growth = createGrowth();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const start = begin(growth, layer.size);
  const download = downloadBlob(registry, {
    blob: layer,
    path,
    signal,
    onBytes,
    onGrowth: start.onGrowth,
  }).finally(() => stopGrowth(growth));
  try {
    await (whole ? download : Promise.race([start.begun, download]));
    const value = await use({ path, offset: 0, size: layer.size, growth });
    await download;
    remove(path);
    return value;
  } catch (error) {
    stop.abort(error);
    // Who reads a blob that does not come any more knows nothing of the reason.
    const reason = await download.then(
      () => error,
      (failure: unknown) => (failure === error ? error : failure),
    );
    // On a full disk it would be in the way of all others, and of its own tree.
    if (isAboutContent(reason) || isFullDisk(reason)) remove(path);
    throw reason;
  }
}

/** Enough to tell how a blob is compressed. */
const enough = 16;

/** Follows a file's growth; `begun` resolves when there is something to begin with. */
function begin(
  growth: Growth,
  size: number,
): { begun: Promise<void>; onGrowth: (bytes: number) => void } {
  let resolve: () => void = () => undefined;
  const begun = new Promise<void>((done) => {
    resolve = done;
  });
  const onGrowth = (bytes: number) => {
    grow(growth, bytes);
    if (bytes >= Math.min(size, enough)) resolve();
  };
  return { begun, onGrowth };
}

const aboutContent: ReadonlySet<string> = new Set([
  "IMAGE_INVALID",
  "IMAGE_UNSUPPORTED",
  "DIGEST_MISMATCH",
]);

function isAboutContent(error: unknown): boolean {
  if (!(error instanceof StageError)) return false;
  return aboutContent.has(error.code) || error.code.startsWith("LIMIT_");
}

function isFullDisk(error: unknown): boolean {
  return error instanceof StageError && error.code === "NO_SPACE";
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw fromSystemError(error, `remove ${path}`);
  }
}
