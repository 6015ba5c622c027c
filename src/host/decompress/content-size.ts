import { closeSync } from "node:fs";
import { detectCompression } from "../compression.js";
import { openRegularFile, readExactly, readStart, type Span } from "../span.js";
import { longestFrameHeader, statedContentSize } from "./zstd-frames.js";

/** What a compressed byte holds at the least: data that can't be compressed gets hardly longer. */
export const worstRatio = 0.99;

/**
 * How many bytes a blob decompresses to at the least, in bytes; mostly that is how many it is.
 *
 * A plain one has its own length. gzip (RFC 1952, 2.3.1) ends with the length of the last member,
 * modulo 2^32: most have one member, and those that have several are longer than any of them. A
 * zstd frame (RFC 8878, 3.1.1.1.4) may state its length. Of others, and of what is still being
 * written, it is known that compressing made them shorter.
 * @throws StageError NOT_FOUND, PERMISSION, IMAGE_INVALID, IMAGE_UNSUPPORTED
 */
export function leastContentSize(span: Span): number {
  const least = Math.floor(span.size * worstRatio);
  if (span.growth || span.size < trailerLength) return least;
  const start = readStart(span, longestFrameHeader);
  const compression = detectCompression(start);
  if (compression === "none") return span.size;
  const stated = compression === "gzip" ? lastMemberSize(span) : statedContentSize(start);
  return Math.max(least, stated ?? 0);
}

const trailerLength = 4;

function lastMemberSize(span: Span): number {
  const trailer = Buffer.alloc(trailerLength);
  const { fd } = openRegularFile(span.path);
  try {
    readExactly(fd, { span, into: trailer, at: span.size - trailerLength });
  } finally {
    closeSync(fd);
  }
  return trailer.readUInt32LE(0);
}
