import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { fromSystemError, StageError, within } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Compression, detectCompression } from "../../host/compression.js";
import { createDecompressor, inputChunk } from "../../host/decompress.js";
import type { Span } from "../../host/span.js";
import type { Bundle } from "./bundle.js";
import { lookUp, type Member, normalizeMemberName, symlinkTarget } from "./member-name.js";

interface Headers {
  readonly name: string;
  readonly type?: string | null | undefined;
  readonly linkname?: string | null | undefined;
}

export interface SpoolOptions {
  /** For messages. */
  readonly label: string;
  /** An empty directory for the members' contents; the caller removes it. */
  readonly directory: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A tar archive that can be read only once and only forward (compressed, or from a pipe) as a
 * bundle: each member becomes a file in a directory.
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED, NO_SPACE; what `signal` was aborted with
 */
export async function spoolArchive(
  archive: AsyncIterable<Buffer>,
  options: SpoolOptions,
): Promise<Bundle> {
  const { directory, signal } = options;
  const label = printable(options.label);
  const members = new Map<string, Member<Span>>();
  const entries = extract();
  try {
    const feeding = pipeline(Readable.from(decompressed(archive)), entries, { signal });
    const keeping = (async () => {
      let count = 0;
      for await (const entry of entries) {
        const { header } = entry;
        const name = normalizeMemberName(header.name);
        const path = join(directory, String(count++));
        if (name === undefined || !isKept(header)) {
          entry.resume();
          continue;
        }
        const target = linkTargetOf(header);
        if (target !== undefined) {
          members.set(name, { kind: "link", target });
          entry.resume();
          continue;
        }
        await pipeline(entry, createWriteStream(path, { flags: "wx", mode: 0o600 }), { signal });
        members.set(name, {
          kind: "content",
          content: { path, offset: 0, size: header.size ?? 0 },
        });
      }
    })();
    await Promise.all([feeding, keeping]);
  } catch (error) {
    signal?.throwIfAborted();
    throw within(label, asStageError(error, directory));
  }
  return { label, find: (name) => lookUp(members, name) };
}

function isKept(header: Headers): boolean {
  return ["file", "contiguous-file", "link", "symlink"].includes(header.type ?? "");
}

function linkTargetOf({ type, name, linkname }: Headers): string | undefined {
  if (type === "link") return normalizeMemberName(linkname ?? "");
  return type === "symlink" ? symlinkTarget(name, linkname ?? "") : undefined;
}

async function* decompressed(archive: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let compression: Compression | undefined;
  let decompressor: ReturnType<typeof createDecompressor> | undefined;
  for await (const chunk of archive) {
    compression ??= detectCompression(chunk);
    if (compression === "none") yield chunk;
    else {
      decompressor ??= createDecompressor(compression);
      for (let at = 0; at < chunk.length; at += inputChunk) {
        yield* decompressor.push(chunk.subarray(at, at + inputChunk));
      }
    }
  }
  if (decompressor) yield* decompressor.end();
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
