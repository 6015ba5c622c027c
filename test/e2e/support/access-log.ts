/** A request that a registry answered. */
export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
  /** Bytes of the answer's body. */
  readonly bytes: number;
}

/** A line of a log in the "combined" format of Apache's httpd. */
export function parseAccess(line: string): LoggedRequest {
  const [, method = "", url = "", status, bytes] =
    /^\S+ \S+ \S+ \[[^\]]+\] "(\S+) (\S+) [^"]*" (\d+) (\d+|-) /.exec(line) ?? [];
  if (status === undefined) throw new Error(`no line of an access log: ${line}`);
  return { method, url, status: Number(status), bytes: Number(bytes) || 0 };
}

/** Requests in short, without repository: `GET manifests latest`, `GET blobs sha256:…`. */
export function inShort(requests: readonly LoggedRequest[]): string[] {
  return requests.map(({ method, url }) => {
    const [, kind, reference] = /\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
    return kind === undefined ? `${method} ${url}` : `${method} ${kind} ${reference}`;
  });
}

/** The digests of the blobs that were got, with repetitions, in order. */
export function blobsGot(requests: readonly LoggedRequest[]): string[] {
  return inShort(requests).flatMap((line) => /^GET blobs (.*)$/.exec(line)?.[1] ?? []);
}

/** How manifests were asked for, in order. */
export function manifestRequests(requests: readonly LoggedRequest[]): string[] {
  return inShort(requests).filter((line) => / manifests /.test(line));
}
