import { StageError } from "../../errors.js";
import { parseRegistryReference } from "./repository.js";

/**
 * A `location` of registries.conf(5) in the form in which references are compared with it: without
 * slashes at its end, the host in lower case.
 * @throws StageError CONFIG where it is no `HOST[:PORT][/NAMESPACE…][:TAG|@DIGEST]`
 */
export function normalizeLocation(location: string): string {
  if (/^[a-z]+:\/\//i.test(location)) {
    throw malformed(location, "it should have no scheme; say insecure = true for plain HTTP");
  }
  const trimmed = location.replace(/\/+$/, "");
  const slash = trimmed.indexOf("/");
  const host = (slash < 0 ? trimmed : trimmed.slice(0, slash)).toLowerCase();
  // Elsewhere such a name is a namespace of Docker Hub.
  if (!/[.:]/.test(host) && host !== "localhost") {
    throw malformed(location, "it should begin with HOST[:PORT], with a dot or a port");
  }
  const normal = slash < 0 ? host : host + trimmed.slice(slash);
  const path = slash < 0 ? "" : trimmed.slice(slash);
  try {
    parseRegistryReference(/[:@]/.test(path) ? normal : `${normal}/x`);
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    throw malformed(location, "it should be HOST[:PORT][/NAMESPACE]");
  }
  return normal;
}

/**
 * A `prefix` likewise, which may be a wildcard.
 * @throws StageError CONFIG
 */
export function normalizePrefix(prefix: string): string {
  if (!prefix.includes("*")) return normalizeLocation(prefix);
  const domain = prefix.slice(2);
  if (!prefix.startsWith("*.") || /[*/:@]/.test(domain)) {
    throw malformed(prefix, "a wildcard should be like *.example.com");
  }
  return `*.${normalizeLocation(`any.${domain}`).slice("any.".length)}`;
}

/**
 * How much of a full reference (`HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`) a prefix covers, or
 * undefined where it does not apply (registries.conf(5), "Choosing a [[registry]] TOML table").
 * As elsewhere, a host without a port stands for every port of it.
 */
export function coveredBy(prefix: string, reference: string): number | undefined {
  if (prefix.startsWith("*.")) {
    const [host = ""] = reference.split(/[:/]/, 1);
    return host.endsWith(prefix.slice(1)) ? host.length : undefined;
  }
  if (!reference.startsWith(prefix)) return undefined;
  const next = reference[prefix.length];
  const isWhole = next === undefined || next === "/" || next === ":" || next === "@";
  return isWhole ? prefix.length : undefined;
}

function malformed(text: string, why: string): StageError {
  return new StageError("CONFIG", `"${text}": ${why}`);
}
