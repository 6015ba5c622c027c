import { setImmediate as pause } from "node:timers/promises";
import { checkTree, inOrder, type Observation } from "../../extract/check/check-tree.js";
import type { TreeFinding } from "../../extract/check/finding.js";
import type { ListedDirectory } from "../../extract/listing/listed-node.js";
import type { ByteString } from "../../host/byte-string.js";
import { now } from "../../host/clock.js";
import { ContentReader, type ContentReaderOptions } from "./content-reader.js";

/** After so many ms other work of this thread gets its turn: keeping locks alive, for one. */
const longestTurn = 10;

export interface TreeWalk extends ContentReaderOptions {
  readonly root: string;
  readonly expected: ListedDirectory;
  /** Of which files the content is read. */
  readonly isWanted: (path: ByteString) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** All differences between a tree and what is listed, in the order of paths. */
export async function walkTree(walk: TreeWalk): Promise<readonly TreeFinding[]> {
  const { root, book, isWanted, signal, checked } = walk;
  const reader = new ContentReader(root, walk);
  const findings: TreeFinding[] = [];
  const copies: (Observation & { kind: "copy" })[] = [];
  const linked = new Set<string | undefined>();
  let turn = now();
  for (const seen of checkTree(walk)) {
    if (seen.kind === "finding") findings.push(seen.finding);
    else if (seen.kind === "content" && isWanted(seen.path)) await reader.add(seen);
    else if (seen.kind === "copy") copies.push(seen);
    else if (seen.kind === "link") linked.add(treeOf(seen));
    else if (seen.kind === "unreadable") checked.unreadable++;
    else if (seen.kind === "path") {
      checked.paths++;
      if (now() - turn < longestTurn) continue;
      signal?.throwIfAborted();
      await pause();
      turn = now();
    }
  }
  const differing = await reader.finish();
  const others = new Set(differing.map(({ path }) => path));
  // Where nothing of a layer is linked, the disk has no hard links, or the layer was made anew.
  const odd = copies.filter((copy) => {
    return linked.has(treeOf(copy)) && !book.isDoubtful(copy.node) && !others.has(copy.path);
  });
  const unlinked = odd.map(({ path }): TreeFinding => {
    return { code: "LINK", path, message: "is a copy of the layer's file" };
  });
  return inOrder([...findings, ...differing, ...unlinked]);
}

function treeOf({ node }: Observation & { kind: "copy" | "link" }): string | undefined {
  return node.kind === "directory" ? undefined : node.tree;
}
