import { createWriteStream, openSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { fromSystemError, StageError, within } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Compression, detectCompression, magicLength } from "../../host/compression.js";
import { outputBlock } from "../../host/decompress/block-filler.js";
import {
  createDecompressor,
  type Decompressor,
  inputChunk,
  openEngine,
} from "../../host/decompress/decompress.js";
import type { Span } from "../../host/span.js";
import { checkLimit, defaultLimits, InflationGuard, type Limits } from "../limits.js";
import type { Bundle } from "./bundle.js";
import { lookUp, type Member, normalizeMemberName, symlinkTarget } from "./member-name.js";

type Entry = ReturnType<typeof extract> extends AsyncIterable<infer Item> ? Item : never;
type Headers = Entry["header"];

export interface SpoolOptions {
  /** For messages. */
  readonly label: string;
  /** An empty directory for the members' contents; the caller removes it. */
  readonly directory: string;
  readonly limits?: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A tar archive that can be read only once and only forward (compressed, or from a pipe) as a
 * bundle: each member becomes a file in a directory.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, LIMIT_ENTRIES, LIMIT_RATIO, NO_SPACE; what
 * `signal` was aborted with
 */
export async function spoolArchive(
  archive: AsyncIterable<Buffer>,
  options: SpoolOptions,
): Promise<Bundle> {
  const { directory, signal, limits = defaultLimits } = options;
  const label = printable(options.label);
  const entries = extract(anyFormat);
  try {
    const feeding = pipeline(Readable.from(decompressed(archive, limits)), entries, { signal });
    const keeping = keepMembers(entries, { directory, limits, signal });
    // When feeding fails, nothing may go on being written: the directory is about to be removed.
    const [members] = await Promise.all([keeping, feeding]).finally(() =>
      Promise.allSettled([keeping]),
    );
    return { label, limits, find: (name) => lookUp(members, name) };
  } catch (error) {
    signal?.throwIfAborted();
    throw within(label, asStageError(error, directory));
  }
}

interface KeepOptions {
  readonly directory: string;
  readonly limits: Limits;
  readonly signal: AbortSignal | undefined;
}

/** Writes each member's content to a file, named by its number. */
async function keepMembers(
  entries: AsyncIterable<Entry>,
  { directory, limits, signal }: KeepOptions,
): Promise<ReadonlyMap<string, Member<Span>>> {
  const members = new Map<string, Member<Span>>();
  let count = 0;
  for await (const entry of entries) {
    count++;
    checkLimit(limits, { name: "entries", value: count, place: () => "the archive" });
    const { header } = entry;
    const name = normalizeMemberName(header.name);
    const target = linkTargetOf(header);
    if (name !== undefined && target === undefined && isFile(header)) {
      const path = join(directory, String(count));
      // Opened now: a stream that is given up while it opens its file makes it all the same.
      const fd = openSync(path, "wx", 0o600);
      await pipeline(entry, createWriteStream(path, { fd }), { signal });
      const content = { path, offset: 0, size: header.size ?? 0 };
      members.set(name, { kind: "content", content });
    } else {
      if (name !== undefined && target !== undefined) members.set(name, { kind: "link", target });
      entry.resume();
    }
  }
  return members;
}

function isFile({ type }: Headers): boolean {
  return type === "file" || type === "contiguous-file";
}

function linkTargetOf({ type, name, linkname }: Headers): string | undefined {
  if (type === "link") return normalizeMemberName(linkname ?? "");
  return type === "symlink" ? symlinkTarget(name, linkname ?? "") : undefined;
}

/** Headers from before POSIX too, as in archives that need no spooling. Its types do not know it. */
const anyFormat: Parameters<typeof extract>[0] & { allowUnknownFormat: boolean } = {
  allowUnknownFormat: true,
};

async function* decompressed(
  archive: AsyncIterable<Buffer>,
  limits: Limits,
): AsyncGenerator<Buffer> {
  const guard = new InflationGuard(limits, "the archive");
  let compression: Compression | undefined;
  let decompressor: Decompressor | undefined;
  for await (const chunk of withLongStart(archive)) {
    compression ??= detectCompression(chunk);
    if (compression === "none") yield chunk;
    else {
      // Whoever reads holds on to what it was given.
      const nextBlock = () => Buffer.allocUnsafeSlow(outputBlock);
      decompressor ??= createDecompressor(compression, {
        engine: await openEngine(compression),
        nextBlock,
      });
      for (let at = 0; at < chunk.length; at += inputChunk) {
        const piece = chunk.subarray(at, at + inputChunk);
        guard.stored(piece.length);
        for (const out of decompressor.push(piece)) {
          guard.inflated(out.length);
          yield out;
        }
      }
    }
  }
  if (decompressor) yield* decompressor.end();
}

/** The same bytes, the first piece long enough to tell the compression by: a pipe gives any number. */
async function* withLongStart(archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of archive) {
      if (start.length >= magicLength) yield chunk;
      else {
        start = Buffer.concat([start, chunk]);
        if (start.length >= magicLength) yield start;
      }
    }
  } catch (error) {
    throw fromSystemError(error, "read the archive");
  }
  if (start.length > 0 && start.length < magicLength) yield start;
}

function asStageError(error: unknown, directory: string): unknown {
  const known = fromSystemError(error, `write ${directory}`);
  if (known instanceof StageError || !(error instanceof Error)) return known;
  // tar-stream's errors are plain ones, and all of them are about the archive.
  return new StageError("IMAGE_INVALID", `not a readable tar archive (${error.message})`, {
    hint: "fetch or copy the image again",
    cause: error,
  });
}
