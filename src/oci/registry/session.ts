import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { type Answer, readBody, refusalText } from "./answer.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Credentials } from "./credentials.js";
import { exchange, type Request } from "./exchange.js";
import { connectionError, isNoTls, isPassingFailure, isUnreachable } from "./failure.js";
import { isLoopback } from "./loopback.js";
import { attemptLimit, isPassing, parseRetryAfter, pauseAfterFailure } from "./retry.js";
import { basicAuthorization, parseToken, type Token, tokenRequest } from "./token.js";

export interface SessionOptions {
  /** `HOST[:PORT]` that is asked. */
  readonly host: string;
  readonly repository: string;
  /** Whether the registry may be used without TLS, or with a certificate that nobody vouches for. */
  readonly isInsecure: boolean;
  readonly dispatcher: Dispatcher;
  /** Asked for at most once, and only when the registry wants to know. */
  readonly findCredentials: () => Promise<Credentials | undefined>;
}

/** A request for something of the repository. */
export interface RepositoryRequest {
  readonly method: "GET" | "HEAD";
  /** What follows `/v2/NAME/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** One try: a request, and what becomes of its answer. */
interface Attempt<Value> {
  readonly ask: () => Promise<Answer>;
  readonly use: (answer: Answer) => Value | Promise<Value>;
}

interface Authorization {
  readonly header: string;
  /** By Date.now(). */
  readonly validUntil: number;
}

/** More of a token server's answer is not read. */
const longestToken = 1024 ** 2;

/** How much earlier than it ends a token is renewed, in milliseconds. */
const tokenMargin = 5000;

/**
 * Requests to one registry about one repository: retried where that may help, and authorized as the
 * registry asks for (distribution-spec; "Token Authentication Specification" of CNCF Distribution).
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #mayBePlain: boolean;
  #scheme: "https" | "http" | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;
  #authorization: Promise<Authorization | undefined> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#mayBePlain = options.isInsecure || isLoopback(new URL(`https://${options.host}`));
  }

  get host(): string {
    return this.#options.host;
  }

  async close(): Promise<void> {
    await this.#options.dispatcher.destroy();
  }

  /**
   * Sends a request until there is an answer that no further try would change.
   * @param use makes something of the answer; a connection that breaks meanwhile is another reason
   * to try again
   * @throws StageError REGISTRY, AUTH, CONFIG; what `use` throws; what `signal` was aborted with
   */
  async send<Value>(
    request: RepositoryRequest,
    use: (answer: Answer) => Value | Promise<Value>,
  ): Promise<Value> {
    return await this.#retrying(request.signal, {
      ask: async () => await this.#authorized(request),
      use,
    });
  }

  /**
   * As {@link send}, to any server; nothing that authorizes is sent.
   * @throws StageError REGISTRY also where `url` is none of a server with TLS
   */
  async fetchElsewhere<Value>(
    from: {
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
    use: (answer: Answer) => Value | Promise<Value>,
  ): Promise<Value> {
    const { headers, signal } = from;
    const url = URL.canParse(from.url) ? new URL(from.url) : undefined;
    if (!url || !(url.protocol === "https:" || isLoopback(url))) {
      throw new StageError("REGISTRY", `"${printable(from.url)}" is no URL to fetch a layer from`);
    }
    return await this.#retrying(signal, {
      ask: async () => await this.#exchange({ method: "GET", url, headers, signal }),
      use,
    });
  }

  async #retrying<Value>(signal: AbortSignal, attempt: Attempt<Value>): Promise<Value> {
    for (let failures = 1; ; failures++) {
      const outcome = await this.#outcomeOf(attempt, signal);
      if ("value" in outcome) return outcome.value;
      const { retryAfter, error } = outcome;
      const pause = pauseAfterFailure(failures, { retryAfter, random: Math.random() });
      if (failures >= attemptLimit || pause === undefined) throw error;
      await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  async #outcomeOf<Value>(
    { ask, use }: Attempt<Value>,
    signal: AbortSignal,
  ): Promise<{ value: Value } | { error: unknown; retryAfter: number | undefined }> {
    try {
      const answer = await ask();
      if (!isPassing(answer.status)) return { value: await use(answer) };
      const retryAfter = parseRetryAfter(answer.header("retry-after"), Date.now());
      const error = new StageError("REGISTRY", `${answer.origin}: ${await refusalText(answer)}`, {
        hint: "the registry is overloaded or broken: try again later",
      });
      return { error, retryAfter };
    } catch (error) {
      signal.throwIfAborted();
      const known = connectionError(this.#options.host, error);
      if (!isPassingFailure(error)) throw known;
      return { error: known, retryAfter: undefined };
    }
  }

  async #authorized(request: RepositoryRequest): Promise<Answer> {
    const before = this.#authorization;
    const held = await before;
    const isValid = held !== undefined && held.validUntil > Date.now() + tokenMargin;
    const answer = await this.#ask(request, isValid ? held.header : undefined);
    // Where a registry redirects to nobody is logged in, whatever is said there.
    const isOwn =
      answer.origin === new URL(`${this.#scheme ?? "https"}://${this.#options.host}`).host;
    if (answer.status !== 401 || !isOwn) return answer;
    answer.body.destroy();
    // Of many requests that are refused at once, one asks for a token.
    if (this.#authorization === before) {
      const challenges = parseChallenges(answer.headers("www-authenticate"));
      this.#authorization = this.#authorize(challenges, request.signal);
      this.#authorization.catch(() => {
        this.#authorization = undefined;
      });
    }
    const renewed = await this.#authorization;
    if (!renewed) throw this.#refused("it wants a login of a kind that is not known");
    const second = await this.#ask(request, renewed.header);
    if (second.status !== 401) return second;
    second.body.destroy();
    const login = await this.#credentials;
    throw this.#refused(login ? "the login was not accepted" : "it wants a login");
  }

  async #ask(request: RepositoryRequest, authorization: string | undefined): Promise<Answer> {
    const { method, signal } = request;
    const headers = {
      ...request.headers,
      ...(authorization === undefined ? {} : { authorization }),
    };
    const path = `/v2/${this.#options.repository}/${request.path}`;
    const to = (scheme: "https" | "http") => {
      const url = new URL(path, `${scheme}://${this.#options.host}`);
      return this.#exchange({ method, url, headers, signal });
    };
    if (this.#scheme !== undefined) return await to(this.#scheme);
    try {
      const answer = await to("https");
      this.#scheme = "https";
      return answer;
    } catch (error) {
      // What a server without TLS makes of its beginning differs: some answer, some hang up.
      if (!(this.#mayBePlain && (isNoTls(error) || isUnreachable(error)))) throw error;
      const answer = await to("http").catch((plain: unknown) => {
        throw isUnreachable(plain) && !isNoTls(error) ? error : plain;
      });
      this.#scheme = "http";
      return answer;
    }
  }

  async #exchange(request: Request): Promise<Answer> {
    const { dispatcher } = this.#options;
    return await exchange(request, { dispatcher, mayBePlain: this.#mayBePlain });
  }

  async #authorize(
    challenges: readonly Challenge[],
    signal: AbortSignal,
  ): Promise<Authorization | undefined> {
    this.#credentials ??= this.#options.findCredentials();
    const credentials = await this.#credentials;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) return await this.#tokenFor(bearer, { credentials, signal });
    const basic = challenges.find(({ scheme }) => scheme === "basic");
    if (!basic) return undefined;
    if (credentials?.kind !== "password") throw this.#refused("it wants a login");
    return { header: basicAuthorization(credentials), validUntil: Number.POSITIVE_INFINITY };
  }

  async #tokenFor(
    challenge: Challenge,
    options: { credentials: Credentials | undefined; signal: AbortSignal },
  ): Promise<Authorization> {
    const { credentials, signal } = options;
    const { repository, host, isInsecure } = this.#options;
    const registryUrl = new URL(`${this.#scheme ?? "http"}://${host}`);
    const wanted = tokenRequest(challenge, {
      repository,
      credentials,
      registryUrl,
      allowInsecure: isInsecure,
    });
    const url = new URL(wanted.url);
    const { token, expiresIn } = await this.#retrying(signal, {
      ask: async () => await this.#exchange({ ...wanted, url, signal }),
      use: async (answer) => await this.#readToken(answer, url),
    });
    return { header: `Bearer ${token}`, validUntil: Date.now() + expiresIn * 1000 };
  }

  async #readToken(answer: Answer, url: URL): Promise<Token> {
    const { status } = answer;
    const what = `the answer of the token server ${url.host}`;
    if (status === 200) {
      const bytes = await readBody(answer, { most: longestToken, what }).catch((error: unknown) => {
        if (!(error instanceof StageError)) throw error;
        throw new StageError("REGISTRY", `${what} is no token: it is too long`);
      });
      return parseToken(bytes, url.href);
    }
    // What it says is not shown: it may repeat what it was sent.
    answer.body.destroy();
    if (status >= 400 && status < 404) {
      throw this.#refused(`its token server ${url.host} answers with status ${status}`);
    }
    const { host } = this.#options;
    throw new StageError(
      "REGISTRY",
      `the token server ${url.host} of ${host} answers with status ${status}`,
    );
  }

  #refused(why: string): StageError {
    const { host, repository } = this.#options;
    return new StageError("AUTH", `${host} refuses access to ${repository}: ${why}`, {
      hint: `log in with: podman login ${host}, or name a file with --authfile; or the name is wrong`,
    });
  }
}
