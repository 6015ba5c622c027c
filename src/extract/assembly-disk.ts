import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, utimesSync } from "node:fs";
import type { ByteString } from "../host/byte-string.js";
import { AttributeWriter } from "../host/extended-attributes.js";
import { fileTime, modificationTime } from "../host/file-time.js";
import { type LinkOptions, linkOrCopy } from "../host/link-or-copy.js";
import { type DiskPath, machineDisk, type TreeDisk } from "../host/tree-disk.js";
import type { DiskMetadata } from "./metadata.js";

/** What a directory is to be like, and whether it has its mode already. */
export type DescribedDirectory = DiskMetadata & { readonly isExact?: boolean };

/** A disk that rootfs are put together on, from the trees of layers. */
export interface AssemblyDisk extends TreeDisk {
  /** Whether it is the machine's, on which other threads can help. */
  readonly isMachine: boolean;
  /** What a directory holds. */
  list(directory: DiskPath): readonly { readonly name: ByteString; isDirectory(): boolean }[];
  /** @throws an error with the code EEXIST where something is in the way */
  makeDirectory(path: DiskPath, mode: number): void;
  metadataOf(directory: DiskPath): DiskMetadata;
  /** Sets what can be set only when nothing is added to a directory any more. */
  describe(directory: DiskPath, metadata: DescribedDirectory): void;
  /** As {@link linkOrCopy}. */
  linkOrCopy(source: DiskPath, target: DiskPath, options: LinkOptions): void;
}

/** The machine's own. */
export function machineAssemblyDisk(): AssemblyDisk {
  const isRoot = process.geteuid?.() === 0;
  const writer = new AttributeWriter();
  return {
    ...machineDisk,
    isMachine: true,
    list: (directory) => readdirSync(directory, { encoding: "latin1", withFileTypes: true }),
    makeDirectory: (path, mode) => mkdirSync(path, mode),
    metadataOf(directory) {
      const stat = lstatSync(directory, { bigint: true });
      const mode = Number(stat.mode & 0o7777n);
      return { mode, uid: Number(stat.uid), gid: Number(stat.gid), mtime: modificationTime(stat) };
    },
    describe(directory, { mode, uid, gid, mtime, attributes, isExact = false }) {
      // What the disk refuses here it has refused in the layer's tree, where it was counted.
      if (attributes) writer.setOnDirectory(directory, attributes);
      if (isRoot && (uid !== 0 || gid !== 0)) lchownSync(directory, uid, gid);
      if (!isExact) chmodSync(directory, mode);
      utimesSync(directory, fileTime(mtime), fileTime(mtime));
    },
    linkOrCopy,
  };
}
