import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Digest, parseDigest } from "../digest.js";
import { canonicalHost, dockerHub } from "./docker-hub.js";

/** What `docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST]` names (containers-transports(5)). */
export interface RegistryReference {
  /** `HOST[:PORT]`, in lower case; `docker.io` where the reference names no host. */
  readonly registry: string;
  /** `library/debian`: the repository in that registry (distribution-spec, "Pulling manifests"). */
  readonly repository: string;
  /** Undefined where only a digest is given; `latest` where nothing is. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** The grammar of the distribution-spec, "Pulling manifests"; with names in lower case only. */
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagGrammar = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const hostGrammar =
  /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::[0-9]{1,5})?$/;

/** Longer names are refused by most registries, and by this one's file system. */
const longestName = 255;

/**
 * Parses what follows `docker://`. A first component with a dot or a colon in it, or `localhost`, is
 * a host; without one the image is Docker Hub's, where official images are in `library/`.
 * @throws StageError USAGE
 */
export function parseRegistryReference(text: string): RegistryReference {
  if (/^[^/@]*:[^/@]*@[^/]*\//.test(text)) {
    throw new StageError("USAGE", "a login is no part of a reference to a registry", {
      hint: "log in with: podman login HOST, or name a file with --authfile",
    });
  }
  const [named = "", ...digests] = text.split("@");
  const digest = digests.length === 0 ? undefined : digestIn(text, digests);
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash).toLowerCase();
  const hasHost = namesHost(named);
  const rest = hasHost ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(":");
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  const registry = hasHost ? canonicalHost(first) : dockerHub;
  const isOfficial = registry === dockerHub && !path.includes("/");
  const repository = isOfficial ? `library/${path}` : path;
  const isHost = hostGrammar.test(registry) && URL.canParse(`https://${registry}/`);
  if (hasHost && !isHost) throw malformed(text, `"${first}" is no host`);
  if (!repository.split("/").every((part) => component.test(part))) {
    const isUpper = /[A-Z]/.test(path);
    throw malformed(
      text,
      `"${path}" is no name of a repository${isUpper ? ": it must be in lower case" : ""}`,
    );
  }
  if (registry.length + repository.length > longestName) throw malformed(text, "it is too long");
  if (tag !== undefined && !tagGrammar.test(tag)) throw malformed(text, `"${tag}" is no tag`);
  return { registry, repository, tag: tag ?? (digest ? undefined : "latest"), digest };
}

/** Whether the first component of a reference or of a part of one is a host. */
export function namesHost(text: string): boolean {
  const [first = "", ...rest] = text.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first.toLowerCase() === "localhost");
}

function digestIn(text: string, digests: readonly string[]): Digest {
  const [digest = "", ...more] = digests;
  try {
    if (more.length === 0) return parseDigest(digest);
  } catch (error) {
    if (error instanceof StageError && error.code === "IMAGE_UNSUPPORTED") throw error;
  }
  throw malformed(text, `"${digests.join("@")}" is no digest`);
}

function malformed(text: string, why: string): StageError {
  return new StageError("USAGE", `docker://${printable(text)} names no image: ${printable(why)}`, {
    hint: "write docker://HOST/NAME:TAG or docker://HOST/NAME@sha256:DIGEST",
  });
}

/** The reference as it is written in full, without the transport. */
export function formatRegistryReference(reference: RegistryReference): string {
  const { registry, repository, tag, digest } = reference;
  const tagged = tag === undefined ? "" : `:${tag}`;
  return `${registry}/${repository}${tagged}${digest === undefined ? "" : `@${digest}`}`;
}
