import type { Oddity, RegistryRequest } from "../odd-registry.js";
import { errorAnswer, jsonAnswer, type SeenRequest, withHeaders } from "./answer.js";
import { type AnsweringServer, type ServerOptions, startServer } from "./answering-server.js";

/** What somebody logs in with. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** The header's value that goes with a login (RFC 7617). */
export function basicAuthorization({ user, password }: Login): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Lets nobody pass who does not show the login. */
export function basicNeeded(login: Login): Oddity {
  return guarded(basicAuthorization(login), () => 'Basic realm="the registry"');
}

/** Lets nobody pass who does not bring the token, and says where there are tokens. */
export function bearerNeeded(challenge: {
  readonly token: string;
  readonly realm: string;
  /** What else the challenge says, unless `service` and `scope`. */
  readonly parameters?: string;
}): Oddity {
  const { token, realm, parameters } = challenge;
  return guarded(`Bearer ${token}`, ({ repository }) => {
    const usual = `service="registry.test",scope="repository:${repository}:pull"`;
    return `Bearer realm="${realm}",${parameters ?? usual}`;
  });
}

/** 401 with the given challenge, whatever is shown. */
export function neverEnough(challenge?: string): Oddity {
  return guarded("nothing is enough", () => challenge);
}

function guarded(
  authorization: string,
  challenge: (request: RegistryRequest) => string | undefined,
): Oddity {
  return (answer, request) =>
    request.headers.authorization === authorization
      ? answer
      : withHeaders(errorAnswer(401, "UNAUTHORIZED", "authentication required"), {
          "www-authenticate": challenge(request),
        });
}

export interface TokenServerOptions extends Pick<ServerOptions, "tls" | "atTheEnd"> {
  readonly token: string;
  /** Who gets tokens; everybody unless given. */
  readonly login?: Login;
  /** Who gets tokens by `grant_type=refresh_token`. */
  readonly identityToken?: string;
  /** In place of `{"token": …}`. */
  readonly reply?: unknown;
}

/** A server of tokens as distribution's "Token Authentication Specification" has it. */
export async function startTokenServer(
  options: TokenServerOptions,
): Promise<AnsweringServer & { readonly realm: string }> {
  const { token, reply = { token, expires_in: 300 }, ...serverOptions } = options;
  const server = await startServer({
    ...serverOptions,
    answer: (request) =>
      isWelcome(request, options) ? jsonAnswer(200, reply) : errorAnswer(401, "UNAUTHORIZED"),
  });
  return { ...server, realm: `${server.url}/token` };
}

function isWelcome(request: SeenRequest, { login, identityToken }: TokenServerOptions): boolean {
  const form = new URLSearchParams(request.body);
  if (request.method === "POST") {
    const isRefresh = form.get("grant_type") === "refresh_token";
    return isRefresh && form.get("refresh_token") === identityToken;
  }
  return login === undefined || request.headers.authorization === basicAuthorization(login);
}
