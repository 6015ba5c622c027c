import { errnoOf, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";

/** Codes of Node and undici for a connection that may work the next time. */
const passing: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "UND_ERR_SOCKET",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const reasons: Partial<Record<string, string>> = {
  ECONNREFUSED: "the connection is refused",
  ECONNRESET: "the connection was closed in the middle",
  UND_ERR_SOCKET: "the connection was closed in the middle",
  EPIPE: "the connection was closed in the middle",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "its name can't be resolved at present",
  EHOSTUNREACH: "the host can't be reached",
  ENETUNREACH: "the network can't be reached",
  ETIMEDOUT: "it doesn't answer",
  HPE: "what answers does not speak HTTP",
  UND_ERR_ABORTED: "the proxy on the way refuses it",
  UND_ERR_CONNECT_TIMEOUT: "it doesn't answer",
  UND_ERR_HEADERS_TIMEOUT: "it doesn't answer",
  UND_ERR_BODY_TIMEOUT: "it sends nothing any more",
};

/** Codes of OpenSSL and Node for a certificate that is not to be trusted. */
const distrust =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** Whether what went wrong with a connection may go right the next time. */
export function isPassingFailure(error: unknown): boolean {
  return passing.has(codeOf(error) ?? "");
}

/** Whether there was no connection, or one that broke before there was an answer. */
export function isUnreachable(error: unknown): boolean {
  return codeOf(error) === "ENOTFOUND" || isPassingFailure(error);
}

/** Whether the other side does not speak TLS. */
export function isNoTls(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER" || /^ERR_SSL_/.test(code);
}

/** A connection that failed, as an error that names the registry and says what to do. */
export function connectionError(host: string, error: unknown): unknown {
  if (error instanceof StageError) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  const where = printable(host);
  if (distrust.test(code)) {
    return new StageError("REGISTRY", `${where}: its certificate is not trusted (${code})`, {
      hint: `put its CA into a directory and give --cert-dir, or into /etc/containers/certs.d/${where}/ca.crt`,
      cause: error,
    });
  }
  if (isNoTls(error)) {
    return new StageError("REGISTRY", `${where} does not speak TLS (${code})`, {
      hint: `if it is to be used without, give --insecure-registry ${where}`,
      cause: error,
    });
  }
  return new StageError("REGISTRY", `cannot reach ${where}: ${reasons[code] ?? code}`, {
    hint: "check the name and the network (HTTPS_PROXY), or try again",
    cause: error,
  });
}

/** Of several addresses of a host each fails with an error of its own; the first one counts. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof StageError) return codeOf(error.cause);
  if (error instanceof Error && error.name === "HTTPParserError") return "HPE";
  const own = errnoOf(error);
  if (own !== undefined) return own;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined;
}
