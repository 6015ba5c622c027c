import { StageError } from "../errors.js";
import { type ByteString, displayPath } from "../host/byte-string.js";
import { baseOf, join, parentOf } from "../host/rooted-tree.js";
import type { GrowingRootfs } from "./growing-rootfs.js";
import type { LowerRecord } from "./layer-record.js";

/** A hard link to a lower layer's file, and the name under which the file is kept meanwhile. */
interface HeldLink {
  readonly path: ByteString;
  readonly target: ByteString;
  readonly held: string | undefined;
  /** Whether the target is a device or fifo that was not made. */
  readonly isSkipped: boolean;
}

/** Hard links of a layer to files of lower ones, or to what its own links lead to. */
export class LowerLinks {
  readonly #rootfs: GrowingRootfs;
  readonly #scratch: string;
  #held = 0;

  /** @param scratch an empty directory beside the rootfs */
  constructor(rootfs: GrowingRootfs, scratch: string) {
    this.#rootfs = rootfs;
    this.#scratch = scratch;
  }

  /** Keeps the links' files, before the layer hides the names that they were made under. */
  hold({ links }: Pick<LowerRecord, "links">): readonly HeldLink[] {
    return links.map(([path, target]) => {
      const held = this.#hold(target);
      const isSkipped = held === undefined && this.#rootfs.isSkipped(target);
      return { path, target, held, isSkipped };
    });
  }

  /**
   * Puts the links in their places, when the rest of the layer is there.
   * @throws StageError IMAGE_INVALID for a link to a file that no layer has
   */
  place(links: readonly HeldLink[]): void {
    for (const { path, target, held, isSkipped } of links) {
      const file = held ?? (isSkipped ? undefined : this.#hold(target));
      if (file !== undefined) {
        this.#rootfs.link(file, this.#placeFor(path));
        this.#rootfs.disk.remove(file, "");
      } else if (isSkipped) {
        // Another name of a device: it is not made either, and hides what is in its place.
        this.#rootfs.remove(this.#placeFor(path));
        this.#rootfs.skip(path);
      } else {
        throw new StageError(
          "IMAGE_INVALID",
          `${displayPath(path)} is a hard link to ${displayPath(target)}, which is in no layer`,
        );
      }
    }
  }

  /** Keeps the file that `target` means under another name, whatever becomes of its own. */
  #hold(target: ByteString): string | undefined {
    const source = this.#fileAt(target);
    if (source === undefined) return undefined;
    const held = `${this.#scratch}/${this.#held++}`;
    this.#rootfs.linkOrCopy(this.#rootfs.tree.at(source), held);
    return held;
  }

  /** The resolved path of what a hard link to `path` means: anything but a directory. */
  #fileAt(path: ByteString): ByteString | undefined {
    const file = this.#rootfs.placeOf(path);
    if (file === undefined) return undefined;
    const kind = this.#rootfs.tree.kindOf(file);
    return kind === "file" || kind === "symlink" ? file : undefined;
  }

  #placeFor(path: ByteString): ByteString {
    return join(this.#rootfs.pass(parentOf(path)), baseOf(path));
  }
}
