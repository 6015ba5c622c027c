import type { ByteString } from "../../host/byte-string.js";
import { parentOf } from "../../host/rooted-tree.js";
import { GrowingFile } from "./growing-file.js";
import { type FileDigests, type ListedMetadata, listingFile } from "./listing.js";

export interface ListingOptions {
  /** The directory that the listing is made in. */
  readonly directory: string;
  readonly digests: FileDigests;
  /** Whose all is that no other owner is stated for. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * Writes a layer's listing as its tree is made. What is said later of a path replaces what was said
 * before, as in the tree.
 *
 * The first line is `stage-rootfs listing 1 UID:GID ALGORITHM`. Each record after it is what follows,
 * with a NUL after each part, since no name holds one: a letter for the kind with mode, time and
 * size (only what differs from the record before, in this order, with commas), and an owner if it is
 * another; the path, from `/` on unless it lies in the same directory as the one before; and of a
 * link its target. The last record says how many came before it.
 */
export class ListingWriter {
  readonly #file: GrowingFile;
  #count = 0;
  #directory: ByteString = "";
  #mode = -1;
  #mtime = Number.NaN;

  constructor({ directory, digests, owner }: ListingOptions) {
    this.#file = new GrowingFile(listingFile(directory));
    this.#file.addText(`stage-rootfs listing 1 ${owner.uid}:${owner.gid} ${digests}\n`);
  }

  file(path: ByteString, { size, metadata }: { size: number; metadata: ListedMetadata }): void {
    this.#add(`f${this.#described(metadata)},${size}`, path);
  }

  directory(path: ByteString, metadata: ListedMetadata): void {
    this.#add(`d${this.#described(metadata)}`, path);
  }

  symlink(
    path: ByteString,
    { target, metadata }: { target: ByteString; metadata: ListedMetadata },
  ): void {
    this.#add(`l${this.#described(metadata)}`, path, target);
  }

  /** `path` is another name of the file at `target`. */
  hardLink(path: ByteString, target: ByteString): void {
    this.#add("h", path, target);
  }

  /** Nothing stands at `path` any more. */
  remove(path: ByteString): void {
    this.#add("r", path);
  }

  /** @returns SHA-256 of the file, in hex */
  finish(): string {
    this.#file.addText(`e${this.#count}\0`);
    return this.#file.finish();
  }

  /** Gives it up, or does nothing where it is finished. */
  close(): void {
    this.#file.close();
  }

  #described({ mode, mtime, uid, gid }: ListedMetadata): string {
    const modeText = mode === this.#mode ? "" : mode.toString(8);
    const timeText = mtime === this.#mtime ? "" : String(mtime);
    this.#mode = mode;
    this.#mtime = mtime;
    const owner = uid === 0 && gid === 0 ? "" : `@${uid}:${gid},`;
    return `${owner}${modeText},${timeText}`;
  }

  #add(record: string, path: ByteString, target?: ByteString): void {
    const directory = parentOf(path);
    const isNear = directory === this.#directory && path !== "";
    const place = isNear ? path.slice(directory === "" ? 0 : directory.length + 1) : `/${path}`;
    this.#directory = directory;
    this.#count++;
    this.#file.addText(
      target === undefined ? `${record}\0${place}\0` : `${record}\0${place}\0${target}\0`,
    );
  }
}
