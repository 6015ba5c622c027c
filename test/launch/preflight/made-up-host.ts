import type { ByteString } from "../../../src/host/byte-string.js";
import type { DiskPath } from "../../../src/host/tree-disk.js";
import type { Host } from "../../../src/launch/preflight/host.js";

/** What stands at a path of a made-up host; a text is the content of a program. */
export type Standing =
  | "dir"
  | "locked dir"
  | string
  | Buffer
  | { readonly data: string }
  | { readonly secret: string }
  | { readonly link: ByteString };

/** A host that has these paths and the directories above them, and nothing else. */
export function madeUpHost(files: Readonly<Record<string, Standing>>): Host {
  /** With the first link on the way, but for the last component, followed; links are absolute. */
  const throughLinks = (path: string): string => {
    for (const [name, found] of Object.entries(files)) {
      if (isLink(found) && path.startsWith(`${name}/`)) {
        return throughLinks(found.link + path.slice(name.length));
      }
    }
    return path;
  };
  const standing = (path: DiskPath): Standing | undefined => {
    const plain = throughLinks(
      String(path)
        .replaceAll(/\/+/g, "/")
        .replace(/(.)\/$/, "$1"),
    );
    if (Object.hasOwn(files, plain)) return files[plain];
    return Object.keys(files).some((each) => each.startsWith(`${plain}/`)) || plain === "/"
      ? "dir"
      : undefined;
  };
  const isInLocked = (path: DiskPath) => {
    return Object.entries(files).some(([name, found]) => {
      return found === "locked dir" && String(path).startsWith(`${name}/`);
    });
  };
  const isDirectory = (found: Standing) => found === "dir" || found === "locked dir";
  const end = (path: DiskPath): Standing | undefined => {
    const found = standing(path);
    return isLink(found) ? end(found.link) : found;
  };
  const contentOf = (found: Standing | undefined): string | Buffer => {
    if (found === undefined || isLink(found)) return "";
    if (typeof found === "string" || Buffer.isBuffer(found)) return found;
    return "data" in found ? found.data : found.secret;
  };
  return {
    writableBelow: () => [],
    kindOf(path) {
      const found = standing(path);
      if (found === undefined) return isInLocked(path) ? denied() : "missing";
      if (isDirectory(found)) return "directory";
      return isLink(found) ? "symlink" : "file";
    },
    endOf(path) {
      const found = end(path);
      return found === undefined ? "missing" : isDirectory(found) ? "directory" : "file";
    },
    targetOf(path) {
      const found = standing(path);
      if (!isLink(found)) throw new Error(`${String(path)} is no link`);
      return found.link;
    },
    may(path, act) {
      const found = end(path);
      if (found === undefined || found === "locked dir") return false;
      if (isDirectory(found) || typeof found === "string" || Buffer.isBuffer(found)) return true;
      return act === "read" && "data" in found;
    },
    read(path, { offset, length }) {
      return Buffer.from(contentOf(end(path))).subarray(offset, offset + length);
    },
  };
}

function denied(): never {
  throw Object.assign(new Error("permission denied"), { code: "EACCES" });
}

function isLink(found: Standing | undefined): found is { readonly link: ByteString } {
  return typeof found === "object" && !Buffer.isBuffer(found) && "link" in found;
}
