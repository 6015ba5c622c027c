import { closeSync } from "node:fs";
import { RingWriter } from "../../host/block-ring.js";
import type { Compression } from "../../host/compression.js";
import { createDecompressor, inputChunk, openEngine } from "../../host/decompress/decompress.js";
import { openRegularFile, readExactly, type Span } from "../../host/span.js";
import { WorkStopped } from "../../host/work-stopped.js";
import { InflationGuard, type Limits } from "../../oci/limits.js";
import { addProgress, type UnpackProgress } from "../unpack-progress.js";
import type { PipelineMemory } from "./memory.js";

export interface InflateTask {
  readonly memory: PipelineMemory;
  readonly span: Span;
  readonly compression: Compression;
  readonly limits: Limits;
  /** Is told how far the work is. */
  readonly progress?: UnpackProgress | undefined;
}

/**
 * Reads a blob and decompresses it, block by block, for the other stages. When it fails, they get
 * what came before.
 * @throws StageError NOT_FOUND, PERMISSION, IMAGE_INVALID, LIMIT_RATIO; WorkStopped
 */
export async function inflate(task: InflateTask): Promise<void> {
  const blocks = new RingWriter(task.memory.ring);
  try {
    const { fd } = openRegularFile(task.span.path);
    try {
      if (task.compression === "none") passOn(fd, { ...task, blocks });
      else await decompressInto(blocks, { ...task, compression: task.compression, fd });
    } finally {
      closeSync(fd);
    }
    blocks.end();
  } catch (error) {
    if (!(error instanceof WorkStopped)) blocks.fail();
    throw error;
  }
}

function passOn(
  fd: number,
  { span, blocks, progress }: Pick<InflateTask, "span" | "progress"> & { blocks: RingWriter },
): void {
  for (let at = 0; at < span.size; ) {
    const { output } = blocks.next();
    const piece = output.subarray(0, Math.min(output.length, span.size - at));
    readExactly(fd, { span, into: piece, at });
    blocks.publish({ input: 0, output: piece.length });
    addProgress(progress, { stored: piece.length, content: piece.length });
    at += piece.length;
  }
}

async function decompressInto(
  blocks: RingWriter,
  blob: Omit<InflateTask, "memory"> & { fd: number; compression: "gzip" | "zstd" },
): Promise<void> {
  const { fd, span, compression, limits, progress } = blob;
  const guard = new InflationGuard(limits, "its blob");
  const decompressor = createDecompressor(compression, {
    engine: await openEngine(compression),
    nextBlock: () => blocks.next().output,
  });
  // How much was read into the block that is being filled. What is read stays where it is until
  // all of it is decompressed, though its block may have been handed out by then: only this thread
  // writes to blocks, and it reads no more before.
  let input = 0;
  const publish = (output: Buffer) => {
    guard.inflated(output.length);
    blocks.publish({ input, output: output.length });
    addProgress(progress, { stored: input, content: output.length });
    input = 0;
  };
  for (let at = 0; at < span.size; ) {
    const area = blocks.next().input;
    const end = Math.min(area.length, input + inputChunk, input + span.size - at);
    const piece = area.subarray(input, end);
    readExactly(fd, { span, into: piece, at });
    at += piece.length;
    input += piece.length;
    guard.stored(piece.length);
    for (const output of decompressor.push(piece)) publish(output);
    // Input may yield next to nothing, for as long as it likes.
    if (input === area.length) publish(decompressor.take() ?? nothing);
  }
  for (const output of decompressor.end()) publish(output);
  if (input > 0) publish(nothing);
}

const nothing = Buffer.alloc(0);
