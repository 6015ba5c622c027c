import type { Answer, SeenRequest } from "./registry/answer.js";
import {
  type AnsweringServer,
  type ServerOptions,
  startServer,
} from "./registry/answering-server.js";
import { honestAnswer, type Subject, type Wish, wishOf } from "./registry/honest-answer.js";
import { type RegistryContent, servedImage } from "./registry/registry-content.js";

/** A request to a registry, and what it is about. */
export interface RegistryRequest extends SeenRequest, Wish {}

/**
 * What makes a registry odd: changes an answer on its way out. It is asked for each request once,
 * in the order of arrival, so it may count.
 */
export type Oddity = (answer: Answer, request: RegistryRequest) => Answer;

export interface OddRegistryOptions extends Pick<ServerOptions, "tls" | "atTheEnd"> {
  /** `servedImage()` unless given. */
  readonly content?: RegistryContent;
}

/** A registry of this process, for the running test. */
export interface OddRegistry extends AnsweringServer {
  /** The image of a tag (`latest` unless given) or, where it has a colon, of a digest. */
  readonly reference: (tagOrDigest?: string) => string;
  /** What arrived, in order; of one kind if asked so. */
  readonly seen: (subject?: Subject) => readonly RegistryRequest[];
}

/**
 * Starts a registry on the loopback interface that serves one repository from memory, faultless but
 * for the given oddities, each of which gets the answer that the one before it made.
 */
export async function startOddRegistry(
  oddities: readonly Oddity[] = [],
  options: OddRegistryOptions = {},
): Promise<OddRegistry> {
  const { content = servedImage(), ...serverOptions } = options;
  const described = (request: SeenRequest): RegistryRequest =>
    Object.assign(request, wishOf(request.url, content));
  const server = await startServer({
    ...serverOptions,
    answer: (request) =>
      oddities.reduce(
        (answer, oddity) => oddity(answer, described(request)),
        honestAnswer(request, content),
      ),
  });
  const seen = (subject?: Subject) =>
    server.requests
      .map(described)
      .filter((request) => subject === undefined || request.subject === subject);
  const reference = (tagOrDigest = "latest") => {
    const separator = tagOrDigest.includes(":") ? "@" : ":";
    return `docker://${server.host}/${content.repository}${separator}${tagOrDigest}`;
  };
  return { ...server, reference, seen };
}

/** An oddity for requests of some kind alone. */
export function on(subject: Subject, ...oddities: readonly Oddity[]): Oddity {
  return onlyWhere((request) => request.subject === subject, oddities);
}

/** An oddity for requests of one blob alone, or of one manifest by its digest. */
export function onDigest(digest: string, ...oddities: readonly Oddity[]): Oddity {
  return onlyWhere(({ reference }) => reference === digest, oddities);
}

function onlyWhere(
  isMeant: (request: RegistryRequest) => boolean,
  oddities: readonly Oddity[],
): Oddity {
  return (answer, request) =>
    isMeant(request)
      ? oddities.reduce((changed, oddity) => oddity(changed, request), answer)
      : answer;
}

/** An oddity for the first so many requests that come to it. */
export function first(count: number, oddity: Oddity): Oddity {
  let left = count;
  return (answer, request) => {
    if (left === 0) return answer;
    left--;
    return oddity(answer, request);
  };
}

/** Answers all the same, whatever was asked. */
export function always(answer: Answer): Oddity {
  return () => answer;
}
