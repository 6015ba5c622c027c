import type { ByteString } from "../../host/byte-string.js";
import { join } from "../../host/rooted-tree.js";
import type { DiskPath } from "../../host/tree-disk.js";
import type { AssemblyDisk, DescribedDirectory } from "../assembly-disk.js";
import { type ListedDirectory, type ListedNode, newDirectory } from "./listed-node.js";
import { ListedTree } from "./listed-tree.js";

/**
 * A disk of listed trees, each below a name of its own. Rootfs are put together on it by the same
 * code as on the machine's, so that it tells what one has to look like.
 */
export class ListedDisk implements AssemblyDisk {
  readonly isMachine = false;
  readonly #tree: ListedTree;
  readonly #owner: { readonly uid: number; readonly gid: number };

  /** @param owner whose all is that gets no other owner */
  constructor(owner: { readonly uid: number; readonly gid: number }) {
    this.#owner = owner;
    this.#tree = new ListedTree(owner);
  }

  /** Puts a tree on the disk, or an empty one. */
  add(
    root: string,
    tree: ListedDirectory = newDirectory({ ...this.#owner, mode: 0, mtime: 0 }),
  ): void {
    this.#tree.put(root, tree);
  }

  /** The tree below a name. */
  tree(root: string): ListedDirectory {
    return this.#directory(root);
  }

  at(root: string, path: ByteString): ByteString {
    return path === "" ? root : join(root, path);
  }

  kindOf(path: DiskPath): "missing" | "directory" | "symlink" | "file" {
    return this.#tree.get(text(path))?.kind ?? "missing";
  }

  targetOf(path: DiskPath): ByteString {
    const node = this.#tree.get(text(path));
    if (node?.kind !== "symlink") throw failure("EINVAL", path);
    return node.target;
  }

  remove(root: string, path: ByteString): void {
    this.#tree.remove(this.at(root, path));
  }

  empty(root: string, path: ByteString): void {
    this.#directory(this.at(root, path)).children.clear();
  }

  list(directory: DiskPath): readonly { name: ByteString; isDirectory(): boolean }[] {
    return [...this.#directory(directory).children].map(([name, { kind }]) => {
      return { name, isDirectory: () => kind === "directory" };
    });
  }

  makeDirectory(path: DiskPath, mode: number): void {
    this.#make(path, newDirectory({ ...this.#owner, mode, mtime: 0 }));
  }

  metadataOf(directory: DiskPath): DescribedDirectory {
    const { mode, uid, gid, mtime } = this.#directory(directory);
    return { mode, uid, gid, mtime };
  }

  describe(directory: DiskPath, { mode, uid, gid, mtime }: DescribedDirectory): void {
    const owner = uid === 0 && gid === 0 ? this.#owner : { uid, gid };
    Object.assign(this.#directory(directory), { mode, ...owner, mtime });
  }

  linkOrCopy(source: DiskPath, target: DiskPath): void {
    const node = this.#tree.get(text(source));
    if (!node || node.kind === "directory") throw failure(node ? "EPERM" : "ENOENT", source);
    this.#make(target, node);
  }

  #make(path: DiskPath, node: ListedNode): void {
    if (this.#tree.get(text(path))) throw failure("EEXIST", path);
    this.#tree.put(text(path), node);
  }

  #directory(path: DiskPath): ListedDirectory {
    const node = this.#tree.get(text(path));
    if (node?.kind === "directory") return node;
    throw failure(node ? "ENOTDIR" : "ENOENT", path);
  }
}

/** The paths of this disk are text. */
function text(path: DiskPath): ByteString {
  return typeof path === "string" ? path : path.toString("latin1");
}

function failure(code: string, path: DiskPath): Error {
  return Object.assign(new Error(`${code}: ${text(path)}`), { code });
}
