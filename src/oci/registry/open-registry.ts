import { trustedAuthorities } from "./authorities.js";
import { loadCertificates } from "./certificates.js";
import { containersPlaces } from "./containers-places.js";
import { findCredentials } from "./credentials.js";
import { createDispatcher } from "./dispatcher.js";
import { type Endpoint, endpointsFor } from "./endpoints.js";
import { proxyFromEnvironment } from "./proxy.js";
import { loadRegistriesConf } from "./registries-conf.js";
import { Registry } from "./registry.js";
import type { RegistryReference } from "./repository.js";
import { Session } from "./session.js";
import type { RegistrySettings } from "./settings.js";
import { shortNameCandidates } from "./short-names.js";

export interface OpenRegistryOptions {
  /** What follows `docker://` in the reference. */
  readonly text: string;
  readonly settings: RegistrySettings;
  /** Bytes of a manifest, index or config at most. */
  readonly longestDocument: number;
  readonly signal?: AbortSignal | undefined;
}

/** How long a registry may be silent, in milliseconds. */
const idleTime = 30_000;

/**
 * The registry of a reference, with its mirrors, as the user's and the machine's settings have them.
 * Nothing is sent yet.
 * @throws StageError CONFIG, PERMISSION, NOT_FOUND, REFERENCE_AMBIGUOUS
 */
export async function openRegistry(
  reference: RegistryReference,
  options: OpenRegistryOptions,
): Promise<Registry> {
  const { text, settings, longestDocument, signal } = options;
  const environment = process.env;
  const places = containersPlaces(environment);
  const { shortNames = false, insecure = [] } = settings;
  const conf = loadRegistriesConf({
    file: settings.registriesConf,
    environment,
    places,
    withRecordedAliases: shortNames,
  });
  const candidates = shortNames ? shortNameCandidates(text, conf) : [reference];
  const endpoints = candidates.flatMap((candidate) =>
    endpointsFor(candidate, conf, { insecureRegistries: insecure }),
  );
  const proxyOf = proxyFromEnvironment(environment);
  let authorities: readonly string[] | undefined;
  const trusted = () => {
    authorities ??= trustedAuthorities(environment);
    return authorities;
  };
  const connect = (endpoint: Endpoint): Session => {
    const { host, registry, repository, isInsecure, proxy } = endpoint;
    const dispatcher = createDispatcher({
      host,
      isInsecure,
      certificates: loadCertificates(registry, { certDir: settings.certDir, places }),
      trusted,
      proxyFor: proxy ? () => proxy : proxyOf,
      headersTimeout: idleTime,
      bodyTimeout: idleTime,
    });
    const findLogin = () =>
      findCredentials(
        { registry, repository },
        { authFile: settings.authFile, env: environment, signal },
      );
    return new Session({
      host,
      repository,
      isInsecure,
      dispatcher,
      findCredentials: findLogin,
    });
  };
  const [first, ...others] = endpoints;
  if (!first) throw new TypeError(`there is nowhere to ask for ${text}`);
  return new Registry({
    reference,
    sessions: [connect(first), ...others.map(connect)],
    longestDocument,
  });
}
