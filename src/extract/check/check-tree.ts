import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { errnoOf } from "../../errors.js";
import { type ByteString, pathBelow } from "../../host/byte-string.js";
import { join, parentOf } from "../../host/rooted-tree.js";
import type { ListedDirectory, ListedFile, ListedNode } from "../listing/listed-node.js";
import { compareMetadata } from "./compare-metadata.js";
import type { TreeFinding } from "./finding.js";
import { type InodeBook, inodeId } from "./inode-book.js";

/** A file whose content is to be looked at. */
export interface ContentToCheck {
  readonly path: ByteString;
  readonly file: ListedFile;
}

/** What a look at one path gave. */
export type Observation =
  | { readonly kind: "finding"; readonly finding: TreeFinding }
  | ({ readonly kind: "content" } & ContentToCheck)
  /** A file that is as it should be but for being another one than the layer has. */
  | { readonly kind: "copy"; readonly path: ByteString; readonly node: ListedNode }
  /** A file that is the one that the layer has. */
  | { readonly kind: "link"; readonly node: ListedNode }
  /** Something that this user may not look at. */
  | { readonly kind: "unreadable" }
  /** One more path was looked at. */
  | { readonly kind: "path" };

export interface TreeToCheck {
  /** Where the tree is on disk. */
  readonly root: string;
  readonly expected: ListedDirectory;
  readonly book: InodeBook;
}

/**
 * Compares a tree with what is listed, path by path in the order of names. Changes nothing. Each
 * file on disk gives one "content" at most, however many names it has, and none if the book knew it.
 * @throws errors of system calls but for what is missing
 */
export function* checkTree({ root, expected, book }: TreeToCheck): Generator<Observation> {
  const look = new Look(root, book);
  yield* look.node("", expected);
}

class Look {
  readonly #root: string;
  readonly #book: InodeBook;
  /** Files that differ from what they stand for, by inode: they may be meant to be other ones. */
  readonly #doubtful = new Map<string, ByteString>();

  constructor(root: string, book: InodeBook) {
    this.#root = root;
    this.#book = book;
  }

  *node(path: ByteString, node: ListedNode): Generator<Observation> {
    const pending: [ByteString, ListedNode][] = [[path, node]];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [at, listed] = next;
      yield { kind: "path" };
      const stat = this.#stat(at);
      if (stat === "unreadable") {
        yield { kind: "unreadable" };
      } else if (!stat) {
        yield found(at, ["MISSING", "is missing"]);
      } else if (listed.kind === "directory") {
        yield* this.#compare(at, { node: listed, stat });
        if (!stat.isDirectory()) continue;
        const children = this.#children(at, listed);
        if (!children) yield { kind: "unreadable" };
        const { added, below } = children ?? { added: [], below: [] };
        for (const name of added) yield found(join(at, name), ["ADDED", "is not in the image"]);
        pending.push(...below);
      } else yield* this.#leaf(at, { node: listed, stat });
    }
  }

  *#leaf(
    path: ByteString,
    { node, stat }: { node: Exclude<ListedNode, ListedDirectory>; stat: BigIntStats },
  ): Generator<Observation> {
    const inode = inodeId(stat);
    const known = this.#book.nodeOf(inode);
    if (known === node) {
      yield { kind: "link", node };
      return;
    }
    const differences = compareMetadata(node, { stat, target: () => this.#target(path) });
    const isOfKind = !differences.some(([code]) => code === "KIND");
    if (known && isOfKind) {
      const before = this.#doubtful.get(inode);
      const isMeant = before !== undefined && differences.length === 0;
      yield found(isMeant ? before : path, ["LINK", "is another file of the image"]);
      if (isMeant) this.#book.note(node, stat);
      this.#doubtful.delete(inode);
      return;
    }
    for (const difference of differences) yield found(path, difference);
    if (!isOfKind) return;
    if (differences.length > 0) {
      this.#doubtful.set(inode, path);
      this.#book.doubt(node);
    }
    if (this.#book.inodeOf(node) === undefined) this.#book.note(node, stat);
    else if (differences.length === 0 && !this.#book.isCrowded(node))
      yield { kind: "copy", path, node };
    const hasContent = node.kind === "file" && stat.size === BigInt(node.size);
    if (hasContent) yield { kind: "content", path, file: node };
  }

  *#compare(
    path: ByteString,
    { node, stat }: { node: ListedNode; stat: BigIntStats },
  ): Generator<Observation> {
    const differences = compareMetadata(node, { stat, target: () => this.#target(path) });
    for (const difference of differences) yield found(path, difference);
  }

  /**
   * What a directory holds beyond what is listed, and what is to be looked at next: the last first.
   * @returns undefined where its mode keeps this user out
   */
  #children(path: ByteString, { children }: ListedDirectory) {
    const names = this.#names(path);
    if (!names) return undefined;
    const added = names.filter((name) => !children.has(name)).sort();
    const below = [...children]
      .sort(([a], [b]) => (a < b ? 1 : -1))
      .map(([name, node]): [ByteString, ListedNode] => [join(path, name), node]);
    return { added, below };
  }

  #names(path: ByteString): readonly ByteString[] | undefined {
    try {
      return readdirSync(pathBelow(this.#root, path), { encoding: "latin1" });
    } catch (error) {
      if (errnoOf(error) === "EACCES") return undefined;
      throw error;
    }
  }

  #target(path: ByteString): ByteString {
    return readlinkSync(pathBelow(this.#root, path), { encoding: "latin1" });
  }

  #stat(path: ByteString): BigIntStats | "unreadable" | undefined {
    try {
      return lstatSync(pathBelow(this.#root, path), { bigint: true });
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
      if (errno === "EACCES") return "unreadable";
      throw error;
    }
  }
}

function found(
  path: ByteString,
  [code, message]: readonly [TreeFinding["code"], string],
): Observation {
  return { kind: "finding", finding: { code, path, message } };
}

/**
 * Findings in the order of their paths, without what only follows from others: the time of a
 * directory in which something came or went, and all else of what is another file.
 */
export function inOrder(findings: readonly TreeFinding[]): readonly TreeFinding[] {
  const parents = new Set(findings.filter(isOfNames).map(({ path }) => parentOf(path)));
  const others = new Set(findings.filter(({ code }) => code === "LINK").map(({ path }) => path));
  return findings
    .filter(({ code, path }) => code !== "TIME" || !parents.has(path))
    .filter(({ code, path }) => code === "LINK" || !others.has(path))
    .sort((a, b) => (a.path === b.path ? compare(a.code, b.code) : compare(a.path, b.path)));
}

const namesChanged: ReadonlySet<TreeFinding["code"]> = new Set([
  "MISSING",
  "ADDED",
  "KIND",
  "TARGET",
  "LINK",
  "CONTENT",
]);

/** Whether a finding may come with a change of what the directory above holds. */
function isOfNames({ code, path }: TreeFinding): boolean {
  return path !== "" && namesChanged.has(code);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
