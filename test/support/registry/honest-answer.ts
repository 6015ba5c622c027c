import { digestOf } from "../../../src/oci/digest.js";
import { type Answer, answerOf, errorAnswer, jsonAnswer, type SeenRequest } from "./answer.js";
import { bytesIn, type RegistryContent, statedType } from "./registry-content.js";

/** What a request to a registry is about. */
export type Subject = "version" | "manifest" | "config" | "layer" | "other";

/** What a request asks a registry for. */
export interface Wish {
  readonly subject: Subject;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/** Tells the requests of the distribution-spec's "Endpoints" apart. */
export function wishOf(url: string, content: RegistryContent): Wish {
  const [path = ""] = url.split("?");
  if (/^\/v2\/?$/.test(path)) return { subject: "version", repository: "", reference: "" };
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
  const [, repository = "", kind, encoded = ""] = match ?? [];
  const reference = decodeURIComponent(encoded);
  if (kind === "manifests") return { subject: "manifest", repository, reference };
  if (kind !== "blobs") return { subject: "other", repository, reference };
  const isDocument = bytesIn(content, reference)?.subarray(0, 1).toString() === "{";
  return { subject: isDocument ? "config" : "layer", repository, reference };
}

/** What a registry without any fault answers. */
export function honestAnswer(request: SeenRequest, content: RegistryContent): Answer {
  const { method, url, headers } = request;
  const { subject, repository, reference } = wishOf(url, content);
  if (method !== "GET" && method !== "HEAD") return errorAnswer(405, "UNSUPPORTED");
  if (subject === "version") return jsonAnswer(200, {});
  if (subject === "other") return errorAnswer(404, "NOT_FOUND");
  if (repository !== content.repository) return errorAnswer(404, "NAME_UNKNOWN");
  const digest = reference.includes(":") ? reference : content.tags[reference]?.digest;
  const bytes = digest === undefined ? undefined : bytesIn(content, digest);
  if (subject === "manifest") {
    return bytes ? manifestAnswer(bytes) : errorAnswer(404, "MANIFEST_UNKNOWN");
  }
  return bytes ? blobAnswer(bytes, headers.range) : errorAnswer(404, "BLOB_UNKNOWN");
}

function manifestAnswer(body: Buffer): Answer {
  const type = statedType(body) ?? "application/octet-stream";
  const answer = answerOf(200, { type, body });
  return {
    ...answer,
    headers: { ...answer.headers, "docker-content-digest": digestOf(body) },
  };
}

/** A blob, or the part of it that a Range asks for (RFC 9110, 14.2): one range, of bytes. */
export function blobAnswer(body: Buffer, range?: string): Answer {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const whole = answerOf(200, { type: "application/octet-stream", body });
  const acceptRanges = { "accept-ranges": "bytes" };
  if (from === undefined) return { ...whole, headers: { ...whole.headers, ...acceptRanges } };
  const first = Number(from);
  const last = Math.min(to ? Number(to) : body.length, body.length - 1);
  if (first > last) {
    const answer = errorAnswer(416, "RANGE_INVALID");
    return { ...answer, headers: { ...answer.headers, "content-range": `bytes */${body.length}` } };
  }
  const part = answerOf(206, {
    type: "application/octet-stream",
    body: body.subarray(first, last + 1),
  });
  const contentRange = { "content-range": `bytes ${first}-${last}/${body.length}` };
  return { ...part, headers: { ...part.headers, ...acceptRanges, ...contentRange } };
}
