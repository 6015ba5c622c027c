import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { divideLocation, parseReference } from "../oci/reference.js";
import { resolveLab } from "../oci/sources/repx-lab.js";

/**
 * The archive that a reference names, of a kind that docker may read: the absolute path of a file
 * that is there. An oci-archive is none.
 */
export function imageFileOf(reference: string): string | undefined {
  const { transport, location } = resolveLab(parseReference(reference));
  if (transport !== "path" && transport !== "docker-archive") return undefined;
  const path = divideLocation(location, existsSync)?.path;
  return path !== undefined && statSync(path).isFile() ? resolve(path) : undefined;
}
