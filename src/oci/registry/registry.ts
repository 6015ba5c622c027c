import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { checkDigest, type Digest, digestOf, isDigest } from "../digest.js";
import { documentTypes } from "../media-types.js";
import { type Answer, readBody, refusalText } from "./answer.js";
import { formatRegistryReference, type RegistryReference } from "./repository.js";
import type { RepositoryRequest, Session } from "./session.js";
import { withinTime } from "./time-limit.js";

/** A manifest or index as a registry has it. */
export interface RegistryDocument {
  readonly bytes: Buffer;
  readonly digest: Digest;
  /** The Content-Type, without parameters; empty where there is none. */
  readonly mediaType: string;
}

export interface RegistryOptions {
  readonly reference: RegistryReference;
  /** The places to ask, in this order: mirrors, then the registry itself. */
  readonly sessions: readonly [Session, ...Session[]];
  /** Bytes of a document at most. */
  readonly longestDocument: number;
}

/** Part of a blob, from some byte on. */
export interface BlobPart {
  /** Where in the blob it begins: where it was asked to, or at 0. */
  readonly from: number;
  readonly body: Answer["body"];
}

/** How long a document may take, in milliseconds. */
const documentTime = 120_000;

/**
 * The pull side of the distribution-spec ("Pull"), for one image. What one mirror does not give, the
 * next is asked for.
 */
export class Registry {
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all(this.#options.sessions.map((session) => session.close()));
  }

  /** For messages. */
  get label(): string {
    return `docker://${formatRegistryReference(this.#options.reference)}`;
  }

  /**
   * The digest that a tag stands for now.
   * @returns undefined where the registry does not say; then only the manifest tells
   * @throws StageError NOT_FOUND, REGISTRY, AUTH
   */
  async headDigest(tag: string, signal?: AbortSignal): Promise<Digest | undefined> {
    return await this.#document(`the tag ${tag}`, signal, async (session, signal) => {
      return await session.send(manifestRequest("HEAD", tag, signal), async (answer) => {
        answer.body.destroy();
        // Some refuse the method, though they have the manifest.
        if (answer.status === 405 || answer.status === 501) return undefined;
        await this.#checkStatus(answer, { what: `the tag ${tag}` });
        const digest = answer.header("docker-content-digest");
        return digest !== undefined && isDigest(digest) ? digest : undefined;
      });
    });
  }

  /**
   * A manifest or index, checked against its digest.
   * @param reference a digest, or a tag
   * @throws StageError NOT_FOUND, REGISTRY, AUTH, DIGEST_MISMATCH, LIMIT_DOCUMENT
   */
  async manifest(reference: string, signal?: AbortSignal): Promise<RegistryDocument> {
    const what = isDigest(reference) ? reference : `the tag ${reference}`;
    return await this.#document(what, signal, async (session, signal) => {
      return await session.send(manifestRequest("GET", reference, signal), async (answer) => {
        await this.#checkStatus(answer, { what });
        const bytes = await this.#read(answer, what);
        const [mediaType = ""] = (answer.header("content-type") ?? "").split(";");
        const stated = answer.header("docker-content-digest") ?? "";
        const expected = isDigest(reference) ? reference : isDigest(stated) ? stated : undefined;
        const digest = digestOf(bytes, expected);
        if (expected !== undefined) {
          checkDigest(`${what} at ${session.host}`, { expected, actual: digest });
        }
        return { bytes, digest, mediaType: mediaType.trim().toLowerCase() };
      });
    });
  }

  /**
   * All of a small blob, such as a config, checked against its digest.
   * @throws StageError NOT_FOUND, REGISTRY, AUTH, DIGEST_MISMATCH, LIMIT_DOCUMENT
   */
  async document(
    { digest, size }: { digest: Digest; size: number },
    signal?: AbortSignal,
  ): Promise<Buffer> {
    return await this.#document(digest, signal, async (session, signal) => {
      const request = { method: "GET", path: `blobs/${digest}`, signal } as const;
      const bytes = await session.send(request, async (answer) => {
        await this.#checkStatus(answer, { what: digest });
        return await this.#read(answer, digest);
      });
      const actual = digestOf(bytes, digest);
      checkDigest(`${digest} at ${session.host}`, { expected: digest, actual });
      if (bytes.length === size) return bytes;
      throw new StageError(
        "IMAGE_INVALID",
        `${digest} has ${bytes.length} bytes, but should have ${size}`,
      );
    });
  }

  /**
   * A blob, from byte `from` on where the registry can; from one of `urls` where the registry does
   * not have it.
   * @throws StageError NOT_FOUND, REGISTRY, AUTH
   */
  async blob(
    blob: { digest: Digest; size: number; urls?: readonly string[] },
    { from, signal }: { from: number; signal: AbortSignal },
  ): Promise<BlobPart> {
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const { digest, size, urls = [] } = blob;
    const part = async (answer: Answer) => await this.#partOf(answer, { digest, size, from });
    try {
      return await this.#first(async (session) => {
        return await session.send(
          { method: "GET", path: `blobs/${digest}`, headers, signal },
          part,
        );
      });
    } catch (error) {
      const isMissing = error instanceof StageError && error.code === "NOT_FOUND";
      const [url] = urls;
      if (!isMissing || url === undefined) throw error;
      const [session] = this.#options.sessions;
      return await session.fetchElsewhere({ url, headers, signal }, part);
    }
  }

  async #partOf(
    answer: Answer,
    { digest, size, from }: { digest: Digest; size: number; from: number },
  ): Promise<BlobPart> {
    const { status, body, origin } = answer;
    if (status !== 416) await this.#checkStatus(answer, { what: digest, isPart: from > 0 });
    const range = /^bytes (?:(\d{1,15})-\d+|\*)\/(\d{1,15}|\*)$/.exec(
      answer.header("content-range") ?? "",
    );
    const length = status === 200 ? answer.header("content-length") : range?.[2];
    const total = length === undefined || length === "*" ? undefined : Number(length);
    if (status === 416 || (total !== undefined && total < size)) {
      body.destroy();
      throw new StageError(
        "IMAGE_INVALID",
        `${origin} has only ${total ?? from} of the ${size} bytes of ${digest}`,
        { hint: "the registry's copy is damaged: push the image again" },
      );
    }
    if (status !== 206) return { from: 0, body };
    if (range?.[1] !== undefined && Number(range[1]) === from) return { from, body };
    body.destroy();
    throw new StageError(
      "REGISTRY",
      `${origin} sends another part of ${digest} than was asked for`,
    );
  }

  async #read(answer: Answer, what: string): Promise<Buffer> {
    try {
      return await readBody(answer, { most: this.#options.longestDocument, what });
    } finally {
      answer.body.destroy();
    }
  }

  async #checkStatus(
    answer: Answer,
    { what, isPart = false }: { what: string; isPart?: boolean },
  ): Promise<void> {
    const { status, origin } = answer;
    if (status === 200 || (isPart && status === 206)) return;
    if (status === 404) {
      answer.body.destroy();
      throw new StageError("NOT_FOUND", `${this.label}: ${origin} does not have ${what}`, {
        hint: "check the name and the tag; some registries hide what you are not logged in for",
      });
    }
    const said = await refusalText(answer);
    if (status === 403) {
      throw new StageError("AUTH", `${this.label}: ${origin} denies ${what} (${said})`, {
        hint: "your account may not pull it: ask its owner, or log in as somebody else",
      });
    }
    throw new StageError("REGISTRY", `${this.label}: ${origin} answers for ${what} with ${said}`);
  }

  async #document<Value>(
    what: string,
    signal: AbortSignal | undefined,
    ask: (session: Session, signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    return await this.#first(async (session) => {
      const work = (limited: AbortSignal) => ask(session, limited);
      return await withinTime(`${what} of ${session.host}`, { ms: documentTime, signal, work });
    });
  }

  /** What the first place gives that gives it; if none does, the error of the last one. */
  async #first<Value>(ask: (session: Session) => Promise<Value>): Promise<Value> {
    const failed: unknown[] = [];
    for (const session of this.#options.sessions) {
      try {
        return await ask(session);
      } catch (error) {
        if (!(error instanceof StageError)) throw error;
        failed.push(error);
      }
    }
    const error = failed.at(-1);
    const others = failed.length - 1;
    if (!(error instanceof StageError) || others === 0) throw error;
    const mirrors = failed.slice(0, -1).map((e) => (e instanceof Error ? e.message : ""));
    throw new StageError(
      error.code,
      `${error.message}; before that, ${printable(mirrors.join("; "))}`,
      { hint: error.hint, cause: error },
    );
  }
}

function manifestRequest(
  method: "GET" | "HEAD",
  reference: string,
  signal: AbortSignal,
): RepositoryRequest {
  const headers = { accept: documentTypes.join(", ") };
  return { method, path: `manifests/${reference}`, headers, signal };
}
