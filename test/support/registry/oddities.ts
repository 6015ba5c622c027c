import { gzipSync } from "node:zlib";
import type { Oddity } from "../odd-registry.js";
import { type Answer, answerOf, errorAnswer, withBody, withHeaders } from "./answer.js";
import { blobAnswer } from "./honest-answer.js";
import { bytesIn, type RegistryContent } from "./registry-content.js";

/** What answers can have wrong; to be aimed with `on` and limited with `first`. */

/** An error with a body as registries write it. */
export function failing(
  status: number,
  details: { code?: string; message?: string; headers?: Readonly<Record<string, string>> } = {},
): Oddity {
  const { code = "UNKNOWN", message, headers = {} } = details;
  return () => withHeaders(errorAnswer(status, code, message), headers);
}

/** 429 with `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). */
export function tooMany(retryAfter: number | Date): Oddity {
  const value = typeof retryAfter === "number" ? String(retryAfter) : retryAfter.toUTCString();
  return failing(429, { code: "TOOMANYREQUESTS", headers: { "retry-after": value } });
}

/** The body ends in a wrong way after so many bytes of it. */
export function cut(cutAt: number, ending: NonNullable<Answer["ending"]>): Oddity {
  return (answer) => ({ ...answer, cutAt, ending });
}

/** A body that comes in small pieces. */
export function paced(bytes: number, pauseMs: number): Oddity {
  return (answer) => ({ ...answer, pace: { bytes, pauseMs } });
}

/** A body that goes on with zeros for ever, and does not say how long it is. */
export const endless: Oddity = (answer) => ({
  ...withHeaders(answer, { "content-length": undefined }),
  ending: "endless",
});

/** A few bytes too many; the stated length agrees with them. */
export const tooLong: Oddity = (answer) =>
  withBody(answer, Buffer.concat([answer.body, Buffer.alloc(100)]));

/** The last bytes are missing; the stated length agrees with that. */
export const tooShort: Oddity = (answer) =>
  withBody(answer, answer.body.subarray(0, answer.body.length - 100));

/** One bit in the middle is wrong. */
export const corrupted: Oddity = (answer) => {
  const body = Buffer.from(answer.body);
  const at = body.length >> 1;
  body[at] = (body[at] ?? 0) ^ 1;
  return { ...answer, body };
};

/** Headers as given; undefined leaves one out. */
export function headers(changed: Readonly<Record<string, string | undefined>>): Oddity {
  return (answer) => withHeaders(answer, changed);
}

/** The right headers, but for the length, with another body. */
export function body(text: Buffer | string): Oddity {
  return (answer) => withBody(answer, text);
}

/** The page of a network that wants people to log in first, with status 200. */
export const htmlPage: Oddity = () =>
  answerOf(200, { type: "text/html", body: "<!doctype html><title>Welcome</title>\n" });

/** The body compressed, as proxies do it. */
export const contentGzip: Oddity = (answer) =>
  withHeaders(withBody(answer, gzipSync(answer.body)), { "content-encoding": "gzip" });

/** The whole, with status 200, where a part was asked for. */
export function ignoringRange(content: RegistryContent): Oddity {
  return (answer, { reference }) => {
    const whole = bytesIn(content, reference);
    return answer.status === 206 && whole ? blobAnswer(whole) : answer;
  };
}

/** A part that says it is another part than was asked for. */
export const wrongContentRange: Oddity = (answer) => {
  const range = answer.headers["content-range"]?.replace(/bytes (\d+)/, (_, at) => {
    return `bytes ${Number(at) + 1}`;
  });
  return range === undefined ? answer : withHeaders(answer, { "content-range": range });
};

/** A redirect; `{digest}` in the address stands for the blob's. */
export function redirect(to: string, status = 307): Oddity {
  return (_, { reference }) =>
    withHeaders(answerOf(status, { type: "text/html", body: "<a>elsewhere</a>" }), {
      location: to.replace("{digest}", reference),
    });
}

/** No HTTP at all; nothing before the connection is closed unless something is given. */
export function noHttp(bytes: Buffer | string = ""): Oddity {
  return (answer) => ({ ...answer, raw: Buffer.from(bytes) });
}
