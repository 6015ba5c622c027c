import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Answer, SeenRequest } from "./answer.js";

/** A client that still reads after so many zeros is not going to stop. */
const enough = 256 * 1024 ** 2;

const zeros = Buffer.alloc(64 * 1024);

export interface ServerOptions {
  readonly answer: (request: SeenRequest) => Answer;
  /** PEM texts; plain HTTP unless given. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** In a concurrent test the test context's own `onTestFinished`. */
  readonly atTheEnd?: ((stop: () => Promise<void>) => void) | undefined;
}

/** A server of this process on the loopback interface, which keeps what it was asked. */
export interface AnsweringServer {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** `http://127.0.0.1:PORT` or `https://…` */
  readonly url: string;
  /** Everything that arrived, in the order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** Closes the server and its connections; harmless when repeated. */
  readonly stop: () => Promise<void>;
}

/** Starts a server that is stopped, with all its connections, when the running test ends. */
export async function startServer(options: ServerOptions): Promise<AnsweringServer> {
  const requests: SeenRequest[] = [];
  const stopped = new AbortController();
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const signal = AbortSignal.any([gone.signal, stopped.signal]);
    respond(incoming, { response, requests, answer: options.answer, signal }).catch((error) => {
      // What this side can't send any more is the client's affair; the rest is a broken test.
      if (!signal.aborted) throw error;
    });
  };
  const { tls, atTheEnd = onTestFinished } = options;
  const server = tls ? createTlsServer({ ...tls }, listener) : createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const stop = async () => {
    stopped.abort();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  atTheEnd(stop);
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const host = `127.0.0.1:${port}`;
  return { port, host, url: `${tls ? "https" : "http"}://${host}`, requests, stop };
}

interface Exchange {
  readonly response: ServerResponse;
  readonly requests: SeenRequest[];
  readonly answer: (request: SeenRequest) => Answer;
  readonly signal: AbortSignal;
}

async function respond(incoming: IncomingMessage, exchange: Exchange): Promise<void> {
  const { response, requests, signal } = exchange;
  const { method = "", url = "", headers } = incoming;
  const at = performance.now();
  const body = method === "POST" ? await text(incoming) : "";
  const request: SeenRequest = { method, url, headers, body, at, sent: 0 };
  requests.push(request);
  const answer = exchange.answer(request);
  if (answer.raw) {
    response.socket?.end(answer.raw);
    return;
  }
  response.sendDate = false;
  response.writeHead(answer.status, answer.headers);
  if (method === "HEAD") {
    response.end();
    return;
  }
  response.flushHeaders();
  for await (const piece of piecesOf(answer, signal)) {
    request.sent += piece.length;
    if (!response.write(piece)) await drained(response, signal);
  }
  end(response, answer);
}

async function* piecesOf(answer: Answer, signal: AbortSignal): AsyncGenerator<Buffer> {
  const body = answer.body.subarray(0, answer.cutAt);
  const { bytes, pauseMs } = answer.pace ?? { bytes: zeros.length, pauseMs: 0 };
  for (let at = 0; at < body.length && !signal.aborted; at += bytes) {
    yield body.subarray(at, at + bytes);
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
  }
  if (answer.ending !== "endless") return;
  for (let sent = 0; sent < enough && !signal.aborted; sent += zeros.length) yield zeros;
}

function end(response: ServerResponse, { ending = "end" }: Answer): void {
  if (ending === "end" || ending === "endless") response.end();
  else if (ending === "close") response.socket?.end();
  // What is still on its way to the socket would be lost with a reset.
  else if (ending === "reset") setTimeout(() => response.socket?.resetAndDestroy(), 20);
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await once(response, "drain", { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
