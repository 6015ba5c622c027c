import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { assembleRootfs } from "../../src/extract/assemble-rootfs.js";
import type { LayerRecord } from "../../src/extract/layer-record.js";
import type { FileDigests } from "../../src/extract/listing/listing.js";
import type { OwnershipPolicy } from "../../src/extract/policy.js";
import { unpackLayer } from "../../src/extract/unpack-layer.js";
import type { UnpackedLayer } from "../../src/extract/unpacked-layer.js";
import type { ByteString } from "../../src/host/byte-string.js";
import type { Digest } from "../../src/oci/digest.js";
import { defaultLimits } from "../../src/oci/limits.js";
import { scratchDirectory } from "./scratch-directory.js";
import { base256, endOfArchive, gnuLong, headerBlock, paxMember } from "./tar-blocks.js";

/** One entry of a layer. Names and link targets are bytes, one character each. */
export interface LayerEntry {
  /** The tar type flag. */
  readonly type: "0" | "1" | "2" | "3" | "4" | "5" | "6";
  readonly name: ByteString;
  readonly linkName?: ByteString;
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; what a header can't hold goes to a PAX record. */
  readonly mtime?: number;
  readonly xattrs?: Readonly<Record<ByteString, ByteString>>;
}

type Details = Omit<LayerEntry, "type" | "name" | "linkName" | "content">;

/** A file; its content is its name where none is given, so that no two are alike by accident. */
export function file(name: ByteString, content?: string | Buffer, details?: Details): LayerEntry {
  return { type: "0", name, content: content ?? name, ...details };
}

export function directory(name: ByteString, details?: Details): LayerEntry {
  return { type: "5", name, mode: 0o755, ...details };
}

export function symlink(name: ByteString, linkName: ByteString, details?: Details): LayerEntry {
  return { type: "2", name, linkName, mode: 0o777, ...details };
}

export function hardLink(name: ByteString, linkName: ByteString): LayerEntry {
  return { type: "1", name, linkName };
}

/** The entry that hides `path` of lower layers. */
export function whiteout(path: ByteString): LayerEntry {
  const slash = path.lastIndexOf("/") + 1;
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`, "");
}

/** The entry that hides what lower layers have in `directory`; `""` for the root. */
export function opaque(directory: ByteString): LayerEntry {
  return file(directory === "" ? ".wh..wh..opq" : `${directory}/.wh..wh..opq`, "");
}

/** How a layer is written down. */
export interface LayerForm {
  /** Where names and link targets stand: in PAX records or GNU's long names always, or if need be. */
  readonly names?: "pax" | "gnu" | "pax if long";
  readonly compression?: "none" | "gzip";
}

/** A layer's tar archive. */
export function packLayer(entries: readonly LayerEntry[], form: LayerForm = {}): Buffer {
  return Buffer.concat([...entries.flatMap((entry) => members(entry, form)), endOfArchive]);
}

function members(entry: LayerEntry, { names = "pax if long" }: LayerForm): readonly Buffer[] {
  const { type, name, linkName = "", mode = 0o644, uid = 0, gid = 0, mtime = 0 } = entry;
  const content = bytes(entry.content ?? "");
  const header = headerBlock({
    type,
    name: bytes(name).subarray(0, 100),
    linkName: bytes(linkName).subarray(0, 100),
    mode,
    uid: fits(uid, 7) ? uid : base256(BigInt(uid), 8),
    gid: fits(gid, 7) ? gid : base256(BigInt(gid), 8),
    mtime: fits(mtime, 11) ? mtime : 0,
    size: content.length,
    ...(names === "gnu" && { format: "gnu" }),
  });
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  const records = { ...(names !== "gnu" && nameRecords(entry, names)), ...otherRecords(entry) };
  const extension = Object.keys(records).length > 0 ? [paxMember(records)] : [];
  const longLink = names === "gnu" && linkName !== "" ? [gnuLong("K", bytes(linkName))] : [];
  const longName = names === "gnu" ? [gnuLong("L", bytes(name))] : [];
  return [...extension, ...longLink, ...longName, header, content, padding];
}

function nameRecords({ name, linkName = "" }: LayerEntry, names: "pax" | "pax if long") {
  const records: Record<string, Buffer> = {};
  if (names === "pax" || name.length > 100) records["path"] = bytes(name);
  const needsLink = names === "pax" && linkName !== "";
  if (needsLink || linkName.length > 100) records["linkpath"] = bytes(linkName);
  return records;
}

function otherRecords({ mtime = 0, xattrs = {} }: LayerEntry): Record<string, Buffer> {
  const records: Record<string, Buffer> = {};
  if (!fits(mtime, 11)) records["mtime"] = Buffer.from(String(mtime));
  for (const [key, value] of Object.entries(xattrs)) {
    records[`SCHILY.xattr.${key}`] = bytes(value);
  }
  return records;
}

function bytes(text: ByteString | Buffer): Buffer {
  return typeof text === "string" ? Buffer.from(text, "latin1") : text;
}

function fits(value: number, digits: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 8 ** digits;
}

export function sha256(content: Buffer): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** What a staging by this process's user does without options. */
export const usualPolicy: OwnershipPolicy = {
  owner: process.geteuid?.() === 0 ? "image" : "squash",
  setuid: "drop",
};

export interface Unpacked extends UnpackedLayer {
  readonly record: LayerRecord;
}

export interface UnpackOptions {
  readonly policy?: OwnershipPolicy;
  readonly into?: string;
  readonly form?: LayerForm;
  /** By what files are hashed for the layer's listing; without it there is none. */
  readonly digests?: FileDigests;
}

/** Unpacks a layer of the given entries with the real function, into a directory of its own. */
export async function unpackEntries(
  entries: readonly LayerEntry[],
  options: UnpackOptions = {},
): Promise<Unpacked> {
  const { into: parent = scratchDirectory(), form = {} } = options;
  const archive = packLayer(entries, form);
  const isCompressed = form.compression === "gzip";
  const blob = isCompressed ? gzipSync(archive, { level: 1 }) : archive;
  const path = `${parent}/layer.tar`;
  const tree = `${parent}/tree`;
  writeFileSync(path, blob);
  mkdirSync(tree, { mode: 0o700 });
  const record = await unpackLayer({
    span: { path, offset: 0, size: blob.length },
    diffId: sha256(archive),
    digest: isCompressed ? sha256(blob) : null,
    tree,
    policy: options.policy ?? usualPolicy,
    limits: defaultLimits,
    listing: options.digests && { directory: parent, digests: options.digests },
  });
  return { tree, record };
}

/** Puts a rootfs together from layers, in a directory of its own. @returns its path */
export function assembleLayers(
  layers: readonly UnpackedLayer[],
  options: { into?: string } = {},
): string {
  const parent = options.into ?? scratchDirectory();
  const rootfs = `${parent}/rootfs`;
  const scratch = `${parent}/scratch`;
  mkdirSync(rootfs, { mode: 0o700 });
  mkdirSync(scratch, { mode: 0o700 });
  assembleRootfs(layers, { rootfs, scratch });
  return rootfs;
}

/** Unpacks layers of the given entries, the base first, and puts them together. */
export async function stack(...layers: readonly (readonly LayerEntry[])[]): Promise<string> {
  const unpacked: Unpacked[] = [];
  for (const entries of layers) unpacked.push(await unpackEntries(entries));
  return assembleLayers(unpacked);
}
