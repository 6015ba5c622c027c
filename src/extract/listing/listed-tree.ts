import type { ByteString } from "../../host/byte-string.js";
import { baseOf, parentOf } from "../../host/rooted-tree.js";
import { type ListedDirectory, type ListedNode, newDirectory } from "./listed-node.js";
import type { ListedMetadata } from "./listing.js";

/**
 * A tree that only has names. What is put somewhere takes the place of what was there; directories
 * on the way that nothing was said of are made.
 */
export class ListedTree {
  readonly root: ListedDirectory;
  readonly #implied: ListedMetadata;

  /**
   * @param owner of directories that nothing was said of
   * @param root of the tree, by default a new one
   */
  constructor(owner: { readonly uid: number; readonly gid: number }, root?: ListedDirectory) {
    this.#implied = { ...owner, mode: 0o755, mtime: 0 };
    this.root = root ?? newDirectory(this.#implied);
  }

  get(path: ByteString): ListedNode | undefined {
    return nodeAt(this.root, path);
  }

  put(path: ByteString, node: ListedNode): void {
    this.#directory(parentOf(path)).children.set(baseOf(path), node);
  }

  /** A directory that is there already keeps what it holds. */
  putDirectory(path: ByteString, metadata: ListedMetadata): void {
    Object.assign(this.#directory(path), metadata);
  }

  /** Gives what stands at `target` another name; nothing there is no error. */
  link(path: ByteString, target: ByteString): void {
    const node = this.get(target);
    if (node) this.put(path, node);
  }

  remove(path: ByteString): void {
    const parent = this.get(parentOf(path));
    if (parent?.kind === "directory") parent.children.delete(baseOf(path));
  }

  #directory(path: ByteString): ListedDirectory {
    let at = this.root;
    for (const name of path === "" ? [] : path.split("/")) {
      const next = at.children.get(name);
      if (next?.kind === "directory") at = next;
      else {
        const made = newDirectory(this.#implied);
        at.children.set(name, made);
        at = made;
      }
    }
    return at;
  }
}

/** What stands at `path` below a directory. */
export function nodeAt(root: ListedDirectory, path: ByteString): ListedNode | undefined {
  let node: ListedNode = root;
  for (const name of path === "" ? [] : path.split("/")) {
    const next: ListedNode | undefined =
      node.kind === "directory" ? node.children.get(name) : undefined;
    if (!next) return undefined;
    node = next;
  }
  return node;
}
