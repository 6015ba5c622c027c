import { dirname } from "node:path";
import { assembleAsTheyCome } from "../../src/extract/assemble-rootfs.js";
import { checkTree, inOrder, type TreeToCheck } from "../../src/extract/check/check-tree.js";
import { digestFiles } from "../../src/extract/check/digest-files.js";
import type { TreeFinding } from "../../src/extract/check/finding.js";
import { InodeBook } from "../../src/extract/check/inode-book.js";
import { digestText } from "../../src/extract/listing/content-digest.js";
import { ListedDisk } from "../../src/extract/listing/listed-disk.js";
import type { ListedDirectory } from "../../src/extract/listing/listed-node.js";
import { readListing } from "../../src/extract/listing/read-listing.js";
import { displayPath } from "../../src/host/byte-string.js";
import type { Unpacked } from "./layers.js";

/** What an unpacked layer's listing says that its tree holds. */
export function listedTree({ tree, record }: Unpacked): ListedDirectory {
  if (!record.listing) throw new Error("the layer was unpacked without a listing");
  return readListing(dirname(tree), record.listing);
}

/** What the rootfs of unpacked layers has to look like according to their listings. */
export async function listedRootfs(
  layers: readonly Unpacked[],
  trees: ReadonlyMap<string, ListedDirectory>,
): Promise<ListedDirectory> {
  const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const disk = new ListedDisk(owner);
  const names = new Map([...trees.keys()].map((tree, i) => [tree, `layer-${i}`]));
  for (const [tree, listed] of trees) disk.add(names.get(tree) ?? "", listed);
  for (const name of ["rootfs", "scratch"]) disk.add(name);
  const inOrder = async function* () {
    for (const { tree, record } of layers) yield { tree: names.get(tree) ?? "", record };
  };
  await assembleAsTheyCome(inOrder(), { rootfs: "rootfs", scratch: "scratch", disk });
  return disk.tree("rootfs");
}

/** All differences between a tree and what is listed: the content of files too. */
export async function differences(check: TreeToCheck): Promise<readonly TreeFinding[]> {
  const findings: TreeFinding[] = [];
  for (const seen of checkTree(check)) {
    if (seen.kind === "finding") findings.push(seen.finding);
    if (seen.kind !== "content" || !seen.file.digest) continue;
    const { path } = seen;
    const { digest } = seen.file;
    const files = [{ path, algorithm: digest.algorithm }];
    const [read] = await digestFiles({ root: check.root, files });
    if (!read) throw new Error("nothing was said of a file");
    if (!("digest" in read) || read.digest !== digestText(digest)) {
      findings.push({ code: "CONTENT", path, message: "content differs" });
    }
  }
  return inOrder(findings);
}

/** {@link differences} of layers' trees, and of the rootfs that was put together from them. */
export async function stackDifferences(
  layers: readonly Unpacked[],
  rootfs?: string,
): Promise<readonly string[]> {
  const book = new InodeBook();
  const trees = new Map(layers.map((layer) => [layer.tree, listedTree(layer)]));
  const lines: string[] = [];
  const say = (place: string, findings: readonly TreeFinding[]) => {
    lines.push(...findings.map(({ code, path }) => `${place}${displayPath(path)} ${code}`));
  };
  for (const [tree, expected] of trees) {
    const number = layers.findIndex((layer) => layer.tree === tree);
    say(`layer ${number}: `, await differences({ root: tree, expected, book }));
  }
  if (rootfs === undefined) return lines;
  const expected = await listedRootfs(layers, trees);
  say("rootfs: ", await differences({ root: rootfs, expected, book }));
  return lines;
}
