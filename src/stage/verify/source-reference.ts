import { divideLocation, parseReference } from "../../oci/reference.js";
import type { ImageSource } from "../staged-image.js";

/**
 * A reference to what an entry was staged from, good from any directory.
 * @returns undefined for what can't be found again, such as standard input
 */
export function sourceReference({ kind, reference, path }: ImageSource): string | undefined {
  if (kind === "registry") return reference;
  if (path === null) return undefined;
  const { transport, location } = parseReference(reference);
  if (transport === "repx") return path;
  const isPath = (part: string) => {
    return part === path || path.endsWith(`/${part.replace(/^(?:\.{0,2}\/)+/, "")}`);
  };
  const choice = divideLocation(location, isPath)?.choice;
  const scheme = transport === "path" ? "" : `${transport}:`;
  return `${scheme}${path}${choice === undefined ? "" : `:${choice}`}`;
}
