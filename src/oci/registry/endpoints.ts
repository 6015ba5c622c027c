import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { dockerHub, dockerHubHost } from "./docker-hub.js";
import { coveredBy } from "./location.js";
import type { RegistriesConf } from "./registries-conf.js";
import type { MirrorEntry, RegistryEntry } from "./registries-conf-file.js";
import {
  formatRegistryReference,
  namesHost,
  parseRegistryReference,
  type RegistryReference,
} from "./repository.js";

/**
 * One of the places to ask for an image, and what to ask for there. `registry` is the name under
 * which credentials and certificates are kept.
 */
export interface Endpoint extends RegistryReference {
  /** `HOST[:PORT]` to connect to; differs from `registry` for Docker Hub. */
  readonly host: string;
  /** Plain HTTP and unknown certificates are allowed. */
  readonly isInsecure: boolean;
  readonly isMirror: boolean;
  /** The proxy that registries.conf has for it, in place of the environment's. */
  readonly proxy: URL | undefined;
}

export interface EndpointsOptions {
  /** `HOST[:PORT]` of registries that are as if they were marked insecure. */
  readonly insecureRegistries?: readonly string[];
}

/**
 * Where to ask for an image, in the order in which to try: mirrors, then the registry itself
 * (registries.conf(5), "Choosing a [[registry]] TOML table" and "Remapping and mirroring
 * registries").
 * @throws StageError PERMISSION for an image that is blocked, CONFIG where a location makes no
 * reference of it
 */
export function endpointsFor(
  reference: RegistryReference,
  conf: RegistriesConf,
  options: EndpointsOptions = {},
): readonly Endpoint[] {
  const insecure = new Set(options.insecureRegistries?.map((host) => host.toLowerCase()));
  const entry = entryFor(reference, conf);
  if (entry?.isBlocked) throw blocked(reference, entry);
  const isDigest = reference.digest !== undefined;
  const mirrors = (entry?.mirrors ?? []).filter(
    ({ pulls }) => pulls === "all" || pulls === (isDigest ? "digest-only" : "tag-only"),
  );
  const places = [...mirrors, entry];
  return places.map((place) => {
    const rewritten = entry && place ? rewrite(reference, { entry, place }) : reference;
    const { registry } = rewritten;
    return {
      ...rewritten,
      host: registry === dockerHub ? dockerHubHost : registry,
      isInsecure: place?.isInsecure === true || insecure.has(registry),
      isMirror: place !== entry,
      proxy: place?.proxy,
    };
  });
}

/** The entry with the longest prefix that applies; of equally long ones the first. */
function entryFor(reference: RegistryReference, conf: RegistriesConf): RegistryEntry | undefined {
  const whole = formatRegistryReference(reference);
  let longest: RegistryEntry | undefined;
  for (const entry of conf.registries) {
    if (coveredBy(entry.prefix, whole) === undefined) continue;
    if (!longest || entry.prefix.length > longest.prefix.length) longest = entry;
  }
  return longest;
}

/** The same image at a location: what the prefix covers is replaced by it. */
function rewrite(
  reference: RegistryReference,
  options: { entry: RegistryEntry; place: RegistryEntry | MirrorEntry },
): RegistryReference {
  const { entry, place } = options;
  const { location } = place;
  if (location === undefined) return reference;
  const whole = formatRegistryReference(reference);
  const rest = whole.slice(coveredBy(entry.prefix, whole));
  const rewritten = parsed(`${location}${rest}`);
  // A prefix may cover the tag or the digest too; then the location may have one, or leave it.
  const hasOwn = /[:@]/.test(`${location}${rest}`.replace(/^[^/]*/, ""));
  const result = hasOwn
    ? rewritten
    : rewritten && { ...rewritten, tag: reference.tag, digest: reference.digest };
  if (result && result.digest === reference.digest) return result;
  const why = result ? "has another digest" : "names no image";
  throw new StageError(
    "CONFIG",
    `${printable(entry.file)}: registry "${entry.prefix}": docker://${whole} becomes ${printable(`${location}${rest}`)}, which ${why}`,
    { hint: `correct the location "${location}" there` },
  );
}

/** Undefined for what is no reference that begins with a host. */
function parsed(text: string): RegistryReference | undefined {
  try {
    return namesHost(text) ? parseRegistryReference(text) : undefined;
  } catch (error) {
    if (error instanceof StageError) return undefined;
    throw error;
  }
}

function blocked(reference: RegistryReference, entry: RegistryEntry): StageError {
  const what = `docker://${formatRegistryReference(reference)}`;
  const where = `${printable(entry.file)} (registry "${entry.prefix}")`;
  return new StageError("PERMISSION", `${what} is blocked by ${where}`, {
    hint: "take the image from elsewhere, or have it allowed in that file",
  });
}
