import { existsSync, lstatSync, rmSync, statSync } from "node:fs";
import { isRecord, readJsonIfAny } from "../../host/read-json.js";
import type { CacheLayout } from "../layout.js";
import { namesIn } from "../removal/abandoned.js";
import { fileIdentity } from "./source-index.js";

/** What the index remembers of one source of images, or of a node. */
export interface IndexRecord {
  /** Its name in the index. */
  readonly name: string;
  readonly kind: "file" | "manifest" | "tag" | "node";
  /** IDs of the images that the source was found to hold. */
  readonly imageIds: readonly string[];
  /** Of a file: whether it is still there, as it was. Undefined where its path is not known. */
  readonly isThere: boolean | undefined;
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
}

/** All that the index remembers. It takes no locks: what goes meanwhile is left out. */
export function* indexRecords(layout: CacheLayout): Generator<IndexRecord> {
  for (const file of namesIn(layout.index)) {
    if (!file.endsWith(".json")) continue;
    const name = file.slice(0, -".json".length);
    const path = layout.indexRecord(name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    const record = readJsonIfAny(path);
    const imageIds = imageIdsOf(layout, record);
    const kind = kindOf(name);
    const isThere = kind === "file" ? isFileThere(name, record) : undefined;
    yield { name, kind, imageIds, isThere, writtenAt: stat.mtimeMs };
  }
}

/** Of a tag, those of the manifest that it stood for. */
function imageIdsOf(layout: CacheLayout, record: unknown): readonly string[] {
  if (!isRecord(record)) return [];
  if (typeof record["digest"] === "string") {
    const manifest = `manifest-${record["digest"].replace(":", "-")}`;
    return idsIn(readJsonIfAny(layout.indexRecord(manifest)));
  }
  return idsIn(record);
}

function idsIn(record: unknown): readonly string[] {
  if (!isRecord(record) || !isRecord(record["images"])) return [];
  return Object.values(record["images"]).flatMap((image) => {
    return isRecord(image) && typeof image["imageId"] === "string" ? [image["imageId"]] : [];
  });
}

function kindOf(name: string): IndexRecord["kind"] {
  if (name.startsWith("tag-")) return "tag";
  if (name.startsWith("node-")) return "node";
  return name.startsWith("manifest-") ? "manifest" : "file";
}

function isFileThere(name: string, record: unknown): boolean | undefined {
  if (!isRecord(record) || typeof record["path"] !== "string") return undefined;
  const { path, state } = record;
  // What can't be looked at is as good as gone.
  if (!existsSync(path)) return false;
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  const identity = stat && fileIdentity(stat);
  return identity?.name === name && identity.state === state;
}

/** How long what nothing in the cache belongs to is remembered, in milliseconds: 30 days. */
const memory = 30 * 24 * 60 * 60 * 1000;

export interface ObsoleteOptions {
  /** The images that have an entry. */
  readonly imageIds: ReadonlySet<string>;
  /** In milliseconds since 1970. */
  readonly now: number;
}

/**
 * Whether a record is of no more use: none of its images has an entry, and its file is gone or has
 * changed, or is not known and nothing was found out about it for a month.
 */
export function isObsolete(record: IndexRecord, { imageIds, now }: ObsoleteOptions): boolean {
  if (record.imageIds.some((id) => imageIds.has(id))) return false;
  if (record.isThere !== undefined) return !record.isThere;
  return Math.abs(now - record.writtenAt) > memory;
}

/** Has the index forget a source. Whoever writes about it at the same time may be forgotten too. */
export function forgetSource(layout: CacheLayout, { name }: IndexRecord): void {
  rmSync(layout.indexRecord(name), { force: true });
}
