import { StageError } from "../errors.js";
import type { ByteString } from "../host/byte-string.js";

/** What an entry's last name component says about lower layers (image-spec, layer.md, "Whiteouts"). */
export type Marker =
  /** Hides `name` of lower layers. */
  | { readonly kind: "whiteout"; readonly name: ByteString }
  /** Hides all that lower layers have in this directory. */
  | { readonly kind: "opaque" }
  /** AUFS's own housekeeping, which means nothing here. */
  | { readonly kind: "housekeeping" };

const prefix = ".wh.";

/**
 * @returns undefined for an ordinary name
 * @throws StageError IMAGE_INVALID for a whiteout of nothing, of `.` or of `..`
 */
export function markerOf(base: ByteString): Marker | undefined {
  if (!base.startsWith(prefix)) return undefined;
  const name = base.slice(prefix.length);
  if (name === ".wh..opq") return { kind: "opaque" };
  if (name.startsWith(".wh.")) return { kind: "housekeeping" };
  if (name === "" || name === "." || name === "..") {
    throw new StageError("IMAGE_INVALID", `"${base}" is not a whiteout of anything`);
  }
  return { kind: "whiteout", name };
}
