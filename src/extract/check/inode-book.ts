import type { BigIntStats } from "node:fs";
import type { ListedNode } from "../listing/listed-node.js";

/** Of the disks in use, Btrfs allows the fewest: about so many names in one directory. */
const manyLinks = 1000n;

/** Which file on disk is which one of the listings. */
export class InodeBook {
  readonly #inodes = new Map<ListedNode, string>();
  readonly #doubtful = new Set<ListedNode>();
  readonly #crowded = new Set<ListedNode>();
  readonly #nodes = new Map<string, ListedNode>();

  /** The file that stands for `node`, where one was seen. */
  inodeOf(node: ListedNode): string | undefined {
    return this.#inodes.get(node);
  }

  /** What the file on disk stands for, where it was seen before. */
  nodeOf(inode: string): ListedNode | undefined {
    return this.#nodes.get(inode);
  }

  note(node: ListedNode, stat: BigIntStats): void {
    const inode = inodeId(stat);
    this.#inodes.set(node, inode);
    this.#nodes.set(inode, node);
    if (stat.nlink >= manyLinks) this.#crowded.add(node);
  }

  /** Says that a file is not what it should be: another that is is no mere copy of it. */
  doubt(node: ListedNode): void {
    this.#doubtful.add(node);
  }

  isDoubtful(node: ListedNode): boolean {
    return this.#doubtful.has(node);
  }

  /** Whether a file has so many names that its disk may have refused it another. */
  isCrowded(node: ListedNode): boolean {
    return this.#crowded.has(node);
  }
}

export function inodeId({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}
