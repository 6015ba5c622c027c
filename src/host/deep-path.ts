import { closeSync, constants, fstatSync, openSync } from "node:fs";

/** Longest path that is handed to the kernel as it is, in bytes. PATH_MAX is 4096 with its NUL. */
export const directLimit = 4000;

const openDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

interface Anchor {
  readonly prefix: Buffer;
  readonly fd: number;
}

/**
 * For each tree the open directories that its last deep path was reached from, outermost first: the
 * next one mostly lies below the same ones. One chain a tree, because some calls take two paths.
 */
const chains = new Map<string, Anchor[]>();

/** How many trees have a chain: those of one staging, and no more. */
const chainLimit = 4;

/**
 * A path of any length in a form that the kernel takes: what is too long is reached through open
 * directories on its way, as `/proc/self/fd/N/rest`. These must be real directories. The result is
 * good until the next call for the same tree.
 * @param tree the directory that the path lies below
 * @param path absolute
 */
export function reachable(tree: string, path: Buffer): Buffer {
  if (path.length <= directLimit) return path;
  const chain = chainOf(tree);
  let short = path;
  let reached = 0;
  for (let depth = 0; short.length > directLimit; depth++) {
    const end = short.lastIndexOf("/", directLimit);
    // What comes next is too long a name for any file system: the kernel will say so.
    if (end <= reached) break;
    const prefix = path.subarray(0, path.length - short.length + end);
    const fd = anchorAt(depth, { chain, prefix, head: short.subarray(0, end) });
    const anchored = Buffer.from(`/proc/self/fd/${fd}`);
    reached = anchored.length;
    short = Buffer.concat([anchored, short.subarray(end)]);
  }
  return short;
}

function anchorAt(
  depth: number,
  wanted: { chain: Anchor[]; prefix: Buffer; head: Buffer },
): number {
  const { chain, prefix, head } = wanted;
  const known = chain[depth];
  // A directory that was removed since has no links left.
  if (known?.prefix.equals(prefix) && fstatSync(known.fd).nlink > 0) return known.fd;
  closeAll(chain.splice(depth));
  const fd = openSync(head, openDirectory);
  chain.push({ prefix: Buffer.from(prefix), fd });
  return fd;
}

function chainOf(tree: string): Anchor[] {
  const chain = chains.get(tree) ?? [];
  chains.delete(tree);
  for (const [oldest, unused] of chains) {
    if (chains.size < chainLimit) break;
    closeAll(unused);
    chains.delete(oldest);
  }
  chains.set(tree, chain);
  return chain;
}

function closeAll(anchors: readonly Anchor[]): void {
  for (const { fd } of anchors) closeSync(fd);
}
