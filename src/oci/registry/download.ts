import { closeSync, constants, fstatSync, ftruncateSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fromSystemError, StageError } from "../../errors.js";
import { writeAll } from "../../host/write-all.js";
import type { Digest } from "../digest.js";
import { connectionError, isPassingFailure } from "./failure.js";
import type { BlobPart, Registry } from "./registry.js";
import { pauseAfterFailure } from "./retry.js";
import { withinTime } from "./time-limit.js";

export interface DownloadOptions {
  readonly blob: {
    readonly digest: Digest;
    readonly size: number;
    readonly urls?: readonly string[];
  };
  /** The file; what it holds already is taken for the blob's beginning. */
  readonly path: string;
  /** Is told how far the file is. */
  readonly onGrowth: (bytes: number) => void;
  readonly signal: AbortSignal;
  /** Is told of each piece that has come, with its length. */
  readonly onBytes: (count: number) => void;
}

/** So many times in a row a download may break off, or begin anew, without bringing anything. */
const futileLimit = 5;

/** A registry that is slower than so many bytes a second, for long, is as good as down. */
const slowest = 16 * 1024;
const patience = 120_000;

/**
 * Fetches a blob into a file, from where the file ends; goes on where the connection breaks. Its
 * content is not checked, but it never gets longer than the blob.
 * @throws StageError NOT_FOUND, REGISTRY, AUTH, NO_SPACE, NOT_WRITABLE; what `signal` was aborted with
 */
export async function downloadBlob(registry: Registry, options: DownloadOptions): Promise<void> {
  const { blob, path, signal } = options;
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = open(path, flags);
  try {
    const ms = patience + Math.ceil((blob.size / slowest) * 1000);
    const what = `${blob.digest} of ${registry.label}`;
    const work = (limited: AbortSignal) => fetchRest(registry, { ...options, fd, signal: limited });
    await withinTime(what, { ms, signal, work });
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  } finally {
    closeSync(fd);
  }
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}

async function fetchRest(
  registry: Registry,
  options: DownloadOptions & { fd: number },
): Promise<void> {
  const { blob, fd, onGrowth, signal } = options;
  let at = fstatSync(fd).size;
  if (at > blob.size) {
    ftruncateSync(fd, 0);
    at = 0;
  }
  onGrowth(at);
  for (let futile = 0; at < blob.size; ) {
    const before = at;
    let failure: unknown;
    try {
      at = await take(await registry.blob(blob, { from: at, signal }), { ...options, at });
    } catch (error) {
      signal.throwIfAborted();
      // One that the registry's client has given up on is not tried again.
      const isFinal = error instanceof StageError || !isPassingFailure(error);
      if (isFinal) throw connectionError(registry.label, error);
      failure = error;
      at = fstatSync(fd).size;
    }
    if (at >= blob.size) return;
    futile = at > before ? 0 : futile + 1;
    if (futile >= futileLimit) {
      if (failure !== undefined) throw connectionError(registry.label, failure);
      throw new StageError(
        "REGISTRY",
        `${registry.label}: ${blob.digest} ends after ${at} of ${blob.size} bytes`,
        { hint: "the registry's copy may be damaged: push the image again" },
      );
    }
    const pause = pauseAfterFailure(Math.max(futile, 1), {
      retryAfter: undefined,
      random: Math.random(),
    });
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/**
 * Writes what comes, up to the blob's size.
 * @returns how long the file is
 */
async function take(
  { from, body }: BlobPart,
  options: DownloadOptions & { fd: number; at: number },
): Promise<number> {
  const { blob, path, fd, onGrowth, onBytes } = options;
  let { at } = options;
  // A registry that knows no ranges sends again what the file has.
  let skipped = at - from;
  try {
    for await (const piece of body) {
      onBytes(piece.length);
      const known = Math.min(skipped, piece.length);
      skipped -= known;
      const fresh = piece.subarray(known, known + blob.size - at);
      if (fresh.length > 0) {
        write(fresh, { fd, path });
        at += fresh.length;
        onGrowth(at);
      }
      if (at >= blob.size) break;
    }
    return at;
  } finally {
    body.destroy();
  }
}

/** What the disk refuses is no fault of the connection. */
function write(piece: Buffer, { fd, path }: { fd: number; path: string }): void {
  try {
    writeAll(fd, piece);
  } catch (error) {
    throw fromSystemError(error, `write ${path}`);
  }
}
