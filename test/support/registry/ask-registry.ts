import { Agent } from "undici";
import { onTestFinished } from "vitest";
import type { Credentials } from "../../../src/oci/registry/credentials.js";
import { Registry } from "../../../src/oci/registry/registry.js";
import { Session } from "../../../src/oci/registry/session.js";
import { servedRepository } from "./registry-content.js";

export interface AskOptions {
  readonly credentials?: Credentials;
  /** How long a server may be silent, in milliseconds; 5000 unless given. */
  readonly idle?: number;
  readonly longestDocument?: number;
}

/** A client of registries on the loopback interface, the first to be asked first. */
export function askRegistry(
  [first, ...others]: readonly [string, ...string[]],
  options: AskOptions = {},
): Registry {
  const { credentials, idle = 5000, longestDocument = 1024 ** 2 } = options;
  const connect = (host: string) => {
    const dispatcher = new Agent({ headersTimeout: idle, bodyTimeout: idle });
    return new Session({
      host,
      repository: servedRepository,
      isInsecure: false,
      dispatcher,
      findCredentials: async () => credentials,
    });
  };
  const registry = new Registry({
    reference: { registry: first, repository: servedRepository, tag: "latest", digest: undefined },
    sessions: [connect(first), ...others.map(connect)],
    longestDocument,
  });
  onTestFinished(() => registry.close());
  return registry;
}
