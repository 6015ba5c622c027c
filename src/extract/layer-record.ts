import * as v from "valibot";
import type { ByteString } from "../host/byte-string.js";
import { isRecord } from "../host/read-json.js";
import type { ListingSummary } from "./listing/listing.js";

/** Something that was left out or changed, counted. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly count: number;
  /** A few of the paths concerned. */
  readonly examples: readonly string[];
}

/** What a layer says about lower layers. */
export interface LowerRecord {
  /** Directories that no entry describes: made because something lies below. */
  readonly implied: readonly ByteString[];
  /** Where an entry took the place of an earlier one: nothing of lower layers is left there. */
  readonly replaced: readonly ByteString[];
  /** Paths of lower layers that this one hides. */
  readonly whiteouts: readonly ByteString[];
  /** Directories of lower layers whose content this one hides. */
  readonly opaque: readonly ByteString[];
  /** Hard links to files of lower layers: [path, target]. */
  readonly links: readonly (readonly [ByteString, ByteString])[];
  /** Where a device or fifo would stand. */
  readonly skipped: readonly ByteString[];
}

/**
 * What a layer says beside its tree: about lower layers, and what the disk can't hold. All paths
 * are bytes, one character each, relative to the root.
 */
export interface LayerRecord extends LowerRecord {
  readonly schemaVersion: 1;
  /** Bytes of file content. */
  readonly unpackedSize: number;
  readonly entries: number;
  readonly onRecord: OnRecord;
  readonly warnings: readonly Warning[];
  /** Missing of layers that were unpacked without one. */
  readonly listing?: ListingSummary | undefined;
}

/** The image's own metadata: owners and modes where the disk has others, attributes in any case. */
export interface OnRecord {
  /** `UID:GID` → paths. */
  readonly owners: Readonly<Record<string, readonly ByteString[]>>;
  /** Permission bits in octal → paths. */
  readonly modes: Readonly<Record<string, readonly ByteString[]>>;
  /** Path → attribute name → value in base64; all of them, also those that are on disk. */
  readonly xattrs: Readonly<Record<ByteString, Readonly<Record<ByteString, string>>>>;
}

const path = v.string();
const paths = v.array(path);

const warningSchema = v.object({
  code: v.string(),
  message: v.string(),
  count: v.number(),
  examples: v.array(v.string()),
});

const recordSchema = v.object({
  schemaVersion: v.literal(1),
  unpackedSize: v.number(),
  entries: v.number(),
  implied: paths,
  replaced: paths,
  whiteouts: paths,
  opaque: paths,
  links: v.array(v.tuple([path, path])),
  skipped: paths,
  onRecord: v.object({
    owners: v.record(v.string(), paths),
    modes: v.record(v.string(), paths),
    xattrs: v.custom<OnRecord["xattrs"]>(isXattrs),
  }),
  warnings: v.array(warningSchema),
  listing: v.optional(
    v.object({
      digests: v.picklist(["sha256", "crc32", "none"]),
      hashes: v.object({ listing: v.string(), digests: v.nullable(v.string()) }),
    }),
  ),
});

/** valibot's own records leave keys such as `constructor` out; file names may be any word. */
function isXattrs(value: unknown): boolean {
  const ofFiles = isRecord(value) ? Object.values(value) : [undefined];
  return ofFiles.every((ofFile) => {
    return isRecord(ofFile) && Object.values(ofFile).every((text) => typeof text === "string");
  });
}

/** A record as it was read back; undefined for what is none that this version can use. */
export function parseLayerRecord(value: unknown): LayerRecord | undefined {
  const result = v.safeParse(recordSchema, value);
  return result.success ? result.output : undefined;
}
