import * as v from "valibot";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { Challenge } from "./challenge.js";
import type { Credentials } from "./credentials.js";
import { checkRealm, type RealmOptions } from "./realm.js";
import { parseSecretDocument } from "./secret-document.js";

/** A request to send as it stands; it may hold credentials. */
export type TokenRequest =
  | { readonly method: "GET"; readonly url: string; readonly headers: Record<string, string> }
  | {
      readonly method: "POST";
      readonly url: string;
      readonly headers: Record<string, string>;
      readonly body: string;
    };

export interface TokenRequestOptions extends RealmOptions {
  /** The repository to read, without its registry: `library/debian`. */
  readonly repository: string;
  /** Undefined: the token is to be anonymous. */
  readonly credentials: Credentials | undefined;
}

/**
 * How to ask for a token that a Bearer challenge wants (distribution, "Token Authentication"), or,
 * with an identity token, "OAuth2 Token Authentication". Whatever scope the challenge names, the
 * token is for reading the one repository.
 * @throws StageError REGISTRY, AUTH, as {@link checkRealm}
 */
export function tokenRequest(challenge: Challenge, options: TokenRequestOptions): TokenRequest {
  const { repository, credentials } = options;
  const url = checkRealm(challenge.parameters.get("realm"), options);
  const service = challenge.parameters.get("service");
  const scope = `repository:${repository}:pull`;
  const wanted = Object.entries(service ? { service, scope } : { scope });
  if (credentials?.kind === "identity-token") {
    const form = new URLSearchParams([
      ["grant_type", "refresh_token"],
      ...wanted,
      ["client_id", "stage-rootfs"],
      ["refresh_token", credentials.token],
    ]);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: url.href, headers, body: form.toString() };
  }
  for (const [name, value] of wanted) url.searchParams.append(name, value);
  if (credentials === undefined) return { method: "GET", url: url.href, headers: {} };
  url.searchParams.append("account", credentials.username);
  return {
    method: "GET",
    url: url.href,
    headers: { authorization: basicAuthorization(credentials) },
  };
}

/** The Authorization header of the Basic scheme (RFC 7617), in UTF-8. */
export function basicAuthorization({ username, password }: PasswordCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

type PasswordCredentials = Extract<Credentials, { kind: "password" }>;

/** What a token server gives. */
export interface Token {
  readonly token: string;
  /** How long it is good, in seconds from now. */
  readonly expiresIn: number;
}

/** By the specification no token is good for less, and one without a time for so long. */
const shortestLife = 60;

const noTokenHint = "a proxy or a login page may answer in its place";

const answerSchema = v.object({
  token: v.nullish(v.string(), ""),
  access_token: v.nullish(v.string(), ""),
  expires_in: v.nullish(v.number(), shortestLife),
});

/**
 * Reads a token server's answer: `token`, or `access_token`, which OAuth 2 calls it.
 * @param url where the answer is from, for messages
 * @throws StageError REGISTRY that has nothing of the answer
 */
export function parseToken(bytes: Buffer, url: string): Token {
  const server = printable(new URL(url).host);
  const answer = parseSecretDocument(bytes, {
    schema: answerSchema,
    what: `the answer of the token server ${server}`,
    code: "REGISTRY",
    hint: noTokenHint,
  });
  const token = answer.token || answer.access_token;
  // Anything else could not stand in a header, or would say more there than it should.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new StageError("REGISTRY", `the token server ${server} gave no token`, {
      hint: noTokenHint,
    });
  }
  return { token, expiresIn: Math.max(shortestLife, answer.expires_in) };
}
