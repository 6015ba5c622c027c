import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { isLoopback } from "./loopback.js";

export interface RealmOptions {
  /** Where the challenge came from: the registry, by the scheme that it was asked with. */
  readonly registryUrl: URL;
  /**
   * Whether the user lets this registry be talked to without TLS, or with a certificate that nobody
   * vouches for. Whoever listens in could then name any realm, so one without TLS adds no risk.
   */
  readonly allowInsecure: boolean;
}

const wrongRegistryHint = "make sure that this is a registry; if it is, its settings are wrong";

/**
 * Checks that the token server which a registry names may be told the user's credentials: both are
 * reached over TLS, or are on this machine, or the user has allowed it.
 * @param realm the challenge's parameter
 * @throws StageError REGISTRY for one that is no URL to ask at; AUTH for one that is not safe
 */
export function checkRealm(
  realm: string | undefined,
  { registryUrl, allowInsecure }: RealmOptions,
): URL {
  const registry = printable(registryUrl.host);
  if (realm === undefined) {
    throw new StageError("REGISTRY", `${registry} asks for a token and does not say from where`, {
      hint: wrongRegistryHint,
    });
  }
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  const isHttp = url?.protocol === "https:" || url?.protocol === "http:";
  if (!url || !isHttp || url.username !== "" || url.password !== "") {
    throw new StageError(
      "REGISTRY",
      `${registry} names "${shown(realm)}" to get tokens from, which is no http(s) URL without a user`,
      { hint: wrongRegistryHint },
    );
  }
  const exposed = [registryUrl, url].find((at) => at.protocol !== "https:" && !isLoopback(at));
  if (exposed && !allowInsecure) {
    const whom = exposed === url ? `the token server ${printable(url.host)} of ` : "";
    throw new StageError(
      "AUTH",
      `${whom}${registry} is reached over plain HTTP, and credentials are not sent that way`,
      { hint: `if you trust the network: --insecure-registry ${registry}` },
    );
  }
  url.hash = "";
  return url;
}

/** A realm for messages: not much of it, and without what may be a password. */
function shown(realm: string): string {
  return printable(realm.slice(0, 200).replace(/\/\/[^/]*@/, "//"));
}
