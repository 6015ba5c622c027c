import { StageError } from "../errors.js";
import { type ByteString, displayPath } from "../host/byte-string.js";

/** What an entry's name says about lower layers (image-spec, layer.md, "Whiteouts"). */
export type Marker =
  /** Hides `name` of lower layers. */
  | { readonly kind: "whiteout"; readonly name: ByteString }
  /** Hides all that lower layers have in this directory. */
  | { readonly kind: "opaque" }
  /** AUFS's own housekeeping, which means nothing here. */
  | { readonly kind: "housekeeping" };

const prefix = ".wh.";
const housekeepingPrefix = ".wh..wh.";

/**
 * @param path an entry's path
 * @returns undefined for an ordinary path
 * @throws StageError IMAGE_INVALID for a whiteout of nothing, of `.` or of `..`, and for what lies
 * below a whiteout
 */
export function markerOf(path: ByteString): Marker | undefined {
  if (!path.includes(prefix)) return undefined;
  const parts = path.split("/");
  const base = parts.pop() ?? "";
  if (parts.some((part) => part.startsWith(housekeepingPrefix))) return { kind: "housekeeping" };
  if (parts.some((part) => part.startsWith(prefix))) {
    throw new StageError("IMAGE_INVALID", `${displayPath(path)} lies below a whiteout`);
  }
  if (!base.startsWith(prefix)) return undefined;
  const name = base.slice(prefix.length);
  if (name === ".wh..opq") return { kind: "opaque" };
  if (base.startsWith(housekeepingPrefix)) return { kind: "housekeeping" };
  if (name === "" || name === "." || name === "..") {
    throw new StageError("IMAGE_INVALID", `"${displayPath(path)}" is not a whiteout of anything`);
  }
  return { kind: "whiteout", name };
}
