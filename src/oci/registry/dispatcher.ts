import { createSecureContext, type SecureContext } from "node:tls";
import { Agent, type Dispatcher, Pool, ProxyAgent } from "undici";
import type { HostCertificates } from "./certificates.js";
import type { ProxyChoice } from "./proxy.js";

export interface DispatcherOptions {
  /** `HOST[:PORT]` that the client certificate and the leave to be insecure are for. */
  readonly host: string;
  readonly isInsecure: boolean;
  readonly certificates: HostCertificates;
  /** PEM of what the machine trusts; asked for when the first TLS connection is made. */
  readonly trusted: () => readonly string[];
  readonly proxyFor: ProxyChoice;
  /** Milliseconds until an answer begins. */
  readonly headersTimeout: number;
  /** Milliseconds between two pieces of an answer. */
  readonly bodyTimeout: number;
  /** Milliseconds for a connection, for TLS, and for a proxy's answer. Default: 10 s each. */
  readonly connectTimeout?: number;
}

/**
 * What carries requests to a registry, and to where it redirects them. To `host` it shows the client
 * certificate, and takes any certificate if that is insecure; to other hosts neither. The
 * authorities of certs.d count for all of them: storage is often behind the same one.
 * Call `close` or `destroy` when done.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { headersTimeout, bodyTimeout, connectTimeout = 10_000 } = options;
  const timeouts = { headersTimeout, bodyTimeout };
  const contexts = new Contexts(options);
  return new Agent({
    factory: (origin) => {
      const url = new URL(origin);
      const connect = { ...tlsOptions(url, { options, contexts }), timeout: connectTimeout };
      const proxy = options.proxyFor(url);
      if (!proxy) return new Pool(url.origin, { ...timeouts, connect });
      return new ProxyAgent({
        ...timeouts,
        uri: proxy.href,
        requestTls: connect,
        proxyTls: { ...tlsToProxy(proxy, contexts), timeout: connectTimeout },
        // Many proxies let through tunnels to port 443 alone.
        proxyTunnel: url.protocol === "https:",
        clientFactory: (to, given) => new Pool(to, { ...given, headersTimeout: connectTimeout }),
        factory: (to, given) => new Pool(to, { ...given, ...timeouts }),
      });
    },
  });
}

/** Reading a hundred certificates takes up to 0.1 s, so each set is read once. */
class Contexts {
  readonly #options: DispatcherOptions;
  #own: SecureContext | undefined;
  #others: SecureContext | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** For the registry itself. */
  get own(): SecureContext {
    const { client } = this.#options.certificates;
    if (!client) return this.others;
    this.#own ??= createSecureContext({ ca: this.#authorities, ...client });
    return this.#own;
  }

  get others(): SecureContext {
    this.#others ??= createSecureContext({ ca: this.#authorities });
    return this.#others;
  }

  get #authorities(): string[] {
    return [...this.#options.trusted(), ...this.#options.certificates.authorities];
  }
}

interface TlsOptions {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized?: boolean;
}

function tlsOptions(
  url: URL,
  { options, contexts }: { options: DispatcherOptions; contexts: Contexts },
): TlsOptions {
  if (url.protocol !== "https:") return {};
  const isOwn = url.host === new URL(`https://${options.host}`).host;
  return {
    secureContext: isOwn ? contexts.own : contexts.others,
    rejectUnauthorized: !(isOwn && options.isInsecure),
  };
}

function tlsToProxy(proxy: URL, contexts: Contexts): TlsOptions {
  return proxy.protocol === "https:" ? { secureContext: contexts.others } : {};
}
