import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { parseRegistryReference, type RegistryReference } from "./registry/repository.js";

/** How an image is to be looked for; `path` means that its content tells. */
export type Transport =
  | "docker"
  | "docker-archive"
  | "oci-archive"
  | "oci"
  | "repx"
  | "path"
  | "stdin";

/** A reference as the user wrote it, in parts (containers-transports(5)). */
export interface Reference {
  readonly transport: Transport;
  /**
   * What follows the transport: `PATH[:CHOICE]`, not yet divided; `LAB[#NAME]` of a Lab; empty for
   * stdin.
   */
  readonly location: string;
  /** Of the transport `docker`, which image of which registry. */
  readonly registry?: RegistryReference;
  /** The Lab that an image belongs to, by its real path: the image's links may lead into it. */
  readonly lab?: string;
}

/** Which file, and which of the images in it. */
export interface Location {
  readonly path: string;
  /** A name, or `@N` for the Nth (from 0); undefined when nothing was chosen. */
  readonly choice: string | undefined;
}

const transports: ReadonlySet<string> = new Set<Transport>([
  "docker-archive",
  "oci-archive",
  "oci",
]);

const foreign: ReadonlyMap<string, string> = new Map([
  ["docker-daemon", "save it first: docker save -o image.tar NAME"],
  ["containers-storage", "save it first: podman save --format oci-archive -o image.tar NAME"],
  ["dir", "copy it first: skopeo copy dir:DIR oci:LAYOUT"],
]);

/** @throws StageError USAGE */
export function parseReference(text: string): Reference {
  if (text === "-") return { transport: "stdin", location: "" };
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(text);
  const [, scheme = "", location = ""] = match ?? [];
  const hint = foreign.get(scheme);
  if (hint !== undefined) {
    throw new StageError("USAGE", `${printable(text)}: images at ${scheme}: are not supported`, {
      hint,
    });
  }
  if (scheme === "repx") return { transport: "repx", location: labImage(text, location) };
  if (scheme === "docker") return registryImage(text, location);
  if (isTransport(scheme)) return { transport: scheme, location: needsLocation(text, location) };
  return { transport: "path", location: needsLocation(text, text) };
}

/** Checks `LAB[#NAME]`, whose name is one file's, wherever it is. */
function labImage(text: string, location: string): string {
  const [, lab, name] = /^(.*?)(?:#([^#]*))?$/s.exec(location) ?? [];
  const isName = name === undefined || !/^\.{0,2}$|\//.test(name);
  if (lab && isName && !location.includes("\0")) return location;
  throw new StageError("USAGE", `"${printable(text)}" names no image of a Lab`, {
    hint: "write repx:LAB#NAME, for instance repx:./result#tools",
  });
}

function registryImage(text: string, location: string): Reference {
  if (location.startsWith("//")) {
    const registry = parseRegistryReference(location.slice(2));
    return { transport: "docker", location, registry };
  }
  throw new StageError("USAGE", `"${printable(text)}" names no image`, {
    hint: `write docker://${printable(location)}`,
  });
}

function isTransport(scheme: string): scheme is Transport {
  return transports.has(scheme);
}

function needsLocation(text: string, location: string): string {
  if (location !== "" && !location.includes("\0")) return location;
  throw new StageError("USAGE", `"${printable(text)}" names no image`, {
    hint: "give a file or directory, for instance oci-archive:image.tar",
  });
}

/**
 * Divides `PATH[:CHOICE]`. Both may hold colons, so what exists decides: the longest path that does
 * when all of it is one, else the shortest.
 * @param exists whether there is a file or directory of that name
 * @returns undefined where no part of it exists
 */
export function divideLocation(
  location: string,
  exists: (path: string) => boolean,
): Location | undefined {
  if (exists(location)) return { path: location, choice: undefined };
  for (let colon = location.indexOf(":"); colon >= 0; colon = location.indexOf(":", colon + 1)) {
    const path = location.slice(0, colon);
    if (path !== "" && exists(path)) return { path, choice: location.slice(colon + 1) };
  }
  return undefined;
}
