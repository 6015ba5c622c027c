import type { BigIntStats } from "node:fs";
import type { ListedNode } from "../listing/listed-node.js";

/** Which file on disk is which one of the listings. */
export class InodeBook {
  readonly #inodes = new Map<ListedNode, string>();
  readonly #nodes = new Map<string, ListedNode>();

  /** The file that stands for `node`, where one was seen. */
  inodeOf(node: ListedNode): string | undefined {
    return this.#inodes.get(node);
  }

  /** What the file on disk stands for, where it was seen before. */
  nodeOf(inode: string): ListedNode | undefined {
    return this.#nodes.get(inode);
  }

  note(node: ListedNode, inode: string): void {
    this.#inodes.set(node, inode);
    this.#nodes.set(inode, node);
  }
}

export function inodeId({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}
