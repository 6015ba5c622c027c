import type { IncomingHttpHeaders } from "node:http";

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** When it arrived, in milliseconds of `performance.now()`. */
  readonly at: number;
  /** Bytes of the answer's body that were handed to the connection so far. */
  sent: number;
}

/** What becomes of a body after its last byte that is sent. */
export type Ending =
  /** It ends properly. */
  | "end"
  /** The connection is closed, as by a server that was stopped. */
  | "close"
  /** The connection is reset. */
  | "reset"
  /** The connection stays open, and nothing comes any more. */
  | "stall"
  /** Zeros follow until the client has enough of it. */
  | "endless";

/** An answer to a request: what it says, and how it goes out. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. `content-length` is not added. */
  readonly headers: Readonly<Record<string, string>>;
  /** Left out when answering HEAD. */
  readonly body: Buffer;
  /** How many bytes of the body are sent; all unless given. */
  readonly cutAt?: number;
  /** `end` unless given. */
  readonly ending?: Ending;
  /** So many bytes at a time, with a pause after each; all at once unless given. */
  readonly pace?: { readonly bytes: number; readonly pauseMs: number };
  /** Goes over the connection in place of HTTP; then it is closed. */
  readonly raw?: Buffer;
}

/** An answer with a body of the given type and its length. */
export function answerOf(
  status: number,
  { type, body }: { type: string; body: Buffer | string },
): Answer {
  const bytes = Buffer.from(body);
  const headers = { "content-type": type, "content-length": String(bytes.length) };
  return { status, headers, body: bytes };
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return answerOf(status, { type: "application/json", body: JSON.stringify(value) });
}

/** An error as registries state it (distribution-spec, "Error Codes"). */
export function errorAnswer(status: number, code: string, message = code.toLowerCase()): Answer {
  return jsonAnswer(status, { errors: [{ code, message, detail: null }] });
}

/** The answer with other headers; a header set to undefined is left out. */
export function withHeaders(
  answer: Answer,
  changed: Readonly<Record<string, string | undefined>>,
): Answer {
  const headers: Record<string, string> = { ...answer.headers };
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  return { ...answer, headers };
}

/** The answer with another body, and the length that goes with it where a length was given. */
export function withBody(answer: Answer, body: Buffer | string): Answer {
  const bytes = Buffer.from(body);
  const length = answer.headers["content-length"] === undefined ? undefined : String(bytes.length);
  return { ...withHeaders(answer, { "content-length": length }), body: bytes };
}
