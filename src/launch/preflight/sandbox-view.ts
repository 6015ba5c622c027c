import { errnoOf, StageError } from "../../errors.js";
import { type ByteString, bytesOfText, pathBelow } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import { RootedTree } from "../../host/rooted-tree.js";
import type { DiskPath, PathKind } from "../../host/tree-disk.js";
import type { Mount } from "../mount.js";
import type { Host } from "./host.js";

/** What a path of the sandbox leads to. */
export interface Place {
  /** With all links resolved; bytes, from the root on, without the first slash. */
  readonly path: ByteString;
  /** `unknown` below what is only filled when the sandbox runs, `denied` where one may not look. */
  readonly kind: "missing" | "directory" | "file" | "unknown" | "denied";
  /** Where it is on the host; undefined where it is nowhere yet. */
  readonly onHost: DiskPath | undefined;
  /** The mount that it is in; undefined in the root itself. */
  readonly mount: Mount | undefined;
}

/** A mount, and its target as the bytes that it is. */
type BytewiseMount = Mount & { readonly bytes: ByteString };

/**
 * The files of a sandbox before there is one: a root of the host and, over it, mounts in their
 * order. Links lead where they will lead in the sandbox.
 */
export class SandboxView {
  readonly #root: string;
  readonly #mounts: readonly BytewiseMount[];
  readonly #host: Host;
  readonly #tree: RootedTree;

  constructor(options: { root: string; mounts: readonly Mount[]; host: Host }) {
    const { root, mounts, host } = options;
    this.#root = root;
    this.#mounts = mounts.map((mount) => ({ ...mount, bytes: bytesOfText(mount.target) }));
    this.#host = host;
    this.#tree = new RootedTree(root, {
      at: (_root, path) => path,
      kindOf: (path) => this.#kindOf(String(path)),
      targetOf: (path) => host.targetOf(this.#onHost(String(path)) ?? ""),
      remove: readOnly,
      empty: readOnly,
    });
  }

  /** @param path absolute */
  find(path: string): Place {
    try {
      const resolved = this.#tree.resolveLinks(bytesOfText(path.replace(/^\/+/, "")));
      const mount = this.#mountOf(resolved);
      return { path: resolved, kind: this.#endOf(resolved), onHost: this.#onHost(resolved), mount };
    } catch (error) {
      const kind = kindByFailure(error);
      return { path: bytesOfText(path.slice(1)), kind, onHost: undefined, mount: undefined };
    }
  }

  #endOf(resolved: ByteString): Place["kind"] {
    if (this.#onHost(resolved) === undefined && !this.#leadsToMount(resolved)) return "unknown";
    const kind = this.#kindOf(resolved);
    return kind === "symlink" ? "missing" : kind;
  }

  #kindOf(path: ByteString): PathKind {
    const onHost = this.#onHost(path);
    if (onHost === undefined) return this.#leadsToMount(path) ? "directory" : "missing";
    if (this.#mountOf(path)?.bytes !== `/${path}`) return this.#host.kindOf(onHost);
    // A mount shows what its source leads to.
    const end = this.#host.endOf(onHost);
    return end === "denied" ? "missing" : end;
  }

  #mountOf(path: ByteString): BytewiseMount | undefined {
    return this.#mounts.findLast(({ bytes }) => isWithin(`/${path}`, bytes));
  }

  #onHost(path: ByteString): DiskPath | undefined {
    const mount = this.#mountOf(path);
    if (!mount) return pathBelow(this.#root, path);
    if (mount.type !== "bind") return undefined;
    return pathBelow(mount.source, path.slice(mount.bytes.length));
  }

  /** Whether a path is a mount's target, or on the way to one. */
  #leadsToMount(path: ByteString): boolean {
    return this.#mounts.some(({ bytes }) => isWithin(bytes, `/${path}`));
  }
}

function kindByFailure(error: unknown): Place["kind"] {
  // A loop of links.
  if (error instanceof StageError) return "missing";
  if (errnoOf(error) === "EACCES") return "denied";
  throw error;
}

function readOnly(): never {
  throw new TypeError("nothing is removed from a view");
}
