import { isUtf8 } from "node:buffer";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type AuthDocument, type AuthEntry, faultyFileHint } from "./auth-file.js";
import type { Credentials } from "./credentials.js";
import { canonicalHost } from "./docker-hub.js";

/** What credentials are wanted for: a repository of a registry, `HOST[:PORT]`. */
export interface CredentialSubject {
  readonly registry: string;
  readonly repository: string;
}

/**
 * The entry for a repository, the most specific one, and its key. Without an entry for the
 * repository, a namespace or the registry, one whose key names the registry in another way will do:
 * as a URL, which `docker login` once took as it was given, or by another name of Docker Hub.
 */
export function findEntry(
  { registry, repository }: CredentialSubject,
  { auths, isLegacy }: { auths: AuthDocument["auths"]; isLegacy: boolean },
): { readonly key: string; readonly entry: AuthEntry } | undefined {
  const exact = isLegacy ? [registry] : keysFor(`${registry}/${repository}`);
  const sought = canonicalHost(registry);
  const key =
    exact.find((name) => auths.has(name)) ??
    [...auths.keys()].find((name) => registryOfKey(name, isLegacy) === sought);
  const entry = key === undefined ? undefined : auths.get(key);
  return key === undefined || entry === undefined ? undefined : { key, entry };
}

/** `host/ns/name`, `host/ns`, `host`. */
function keysFor(name: string): string[] {
  const parts = name.split("/");
  return parts.map((_, dropped) => parts.slice(0, parts.length - dropped).join("/"));
}

function registryOfKey(key: string, isLegacy: boolean): string {
  const [, scheme, rest = ""] = /^(https?:\/\/)?(.*)$/s.exec(key) ?? [];
  const hasPath = isLegacy || scheme !== undefined;
  return canonicalHost(hasPath ? (rest.split("/", 1)[0] ?? "") : rest);
}

/**
 * The credentials that an entry holds.
 * @param where the entry's file and key, for messages
 * @returns undefined: none, which is what `docker login` leaves where a helper has them, or nothing
 *   of the form `USER:PASSWORD`, which Docker and Podman pass over as well
 * @throws StageError CONFIG, where `auth` is not Base64 (RFC 4648, 4)
 */
export function decodeEntry(
  { auth, identitytoken }: AuthEntry,
  where: string,
): Credentials | undefined {
  const decoded = decodeBase64(auth, where);
  const colon = decoded.indexOf(":");
  const username = colon < 0 ? "" : decoded.slice(0, colon);
  if (identitytoken !== "") return { kind: "identity-token", username, token: identitytoken };
  if (colon < 0) return undefined;
  const password = withoutPadding(decoded.slice(colon + 1));
  if (username === "" && password === "") return undefined;
  return { kind: "password", username, password };
}

function decodeBase64(text: string, where: string): string {
  const digits = text.replace(/[\r\n]/g, "");
  const bytes = Buffer.from(digits, "base64");
  const isBase64 = digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
  if (isBase64 && isUtf8(bytes)) return bytes.toString("utf8");
  throw new StageError(
    "CONFIG",
    `${printable(where)}: auth is not USER:PASSWORD in UTF-8 and Base64`,
    {
      hint: faultyFileHint,
    },
  );
}

/** Docker once padded passwords with NUL bytes to hide their length. */
function withoutPadding(password: string): string {
  let start = 0;
  let end = password.length;
  while (start < end && password[start] === "\0") start += 1;
  while (end > start && password[end - 1] === "\0") end -= 1;
  return password.slice(start, end);
}
