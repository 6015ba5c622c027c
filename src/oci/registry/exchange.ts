import { type Dispatcher, request as send } from "undici";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { Answer } from "./answer.js";
import { connectionError } from "./failure.js";
import { isLoopback } from "./loopback.js";

/** One request to a server. */
export interface Request {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const redirectLimit = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request, and follows redirects. What authorizes it stays with the server that it is for:
 * another one does not get it.
 * @param options.mayBePlain whether a redirect may lead to a server without TLS
 * @throws StageError REGISTRY, with the error of the connection as its cause
 */
export async function exchange(
  request: Request,
  options: { dispatcher: Dispatcher; mayBePlain: boolean },
): Promise<Answer> {
  let { url, headers } = request;
  for (let count = 0; count <= redirectLimit; count++) {
    const answer = await sendOnce({ ...request, url, headers }, options.dispatcher).catch(
      (error: unknown) => {
        request.signal?.throwIfAborted();
        throw connectionError(url.host, error);
      },
    );
    const location = answer.header("location");
    if (!redirects.has(answer.status) || location === undefined || request.method === "POST") {
      return answer;
    }
    answer.body.destroy();
    const next = redirectTarget(location, { from: url, mayBePlain: options.mayBePlain });
    if (next.origin !== url.origin) headers = withoutAuthorization(headers);
    url = next;
  }
  throw new StageError("REGISTRY", `${request.url.host} redirects without an end`);
}

function redirectTarget(location: string, from: { from: URL; mayBePlain: boolean }): URL {
  const target = URL.canParse(location, from.from.href) ? new URL(location, from.from) : undefined;
  const isPlain = target?.protocol === "http:";
  const isAllowed = !isPlain || from.mayBePlain || isLoopback(target);
  if (target && (target.protocol === "https:" || isPlain) && isAllowed) {
    // A name and password in it would be sent on.
    target.username = "";
    target.password = "";
    return target;
  }
  const place = target ? `${target.protocol}//${target.host}` : "nowhere";
  throw new StageError("REGISTRY", `${from.from.host} redirects to ${printable(place)}`, {
    hint: "only servers with TLS are followed, unless the registry may be used without",
  });
}

function withoutAuthorization(headers: Request["headers"]): Request["headers"] {
  const { authorization: _, ...rest } = headers;
  return rest;
}

async function sendOnce(request: Request, dispatcher: Dispatcher): Promise<Answer> {
  const { method, url, headers, body, signal } = request;
  const answer = await send(url, {
    method,
    headers: { "accept-encoding": "identity", ...headers },
    dispatcher,
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  });
  const all = (name: string): readonly string[] => {
    const value = answer.headers[name];
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
  };
  return {
    status: answer.statusCode,
    headers: all,
    header: (name) => all(name)[0],
    origin: url.host,
    body: {
      [Symbol.asyncIterator]: () => answer.body[Symbol.asyncIterator](),
      destroy: () => {
        // What is given up ends with an error, which nobody waits for.
        answer.body.on("error", () => undefined);
        answer.body.destroy();
      },
    },
  };
}
