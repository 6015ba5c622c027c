import { rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { get as getSecurely } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import type { Login } from "../../support/registry/authentication.js";
import { type Certificates, makeCertificates } from "../../support/registry/certificates.js";
import { type LoggedRequest, parseAccess } from "./access-log.js";
import { type Lines, linesOf } from "./lines.js";
import { makeScratchDir } from "./places.js";
import type { Need } from "./programs.js";

/** What {@link startRegistry} needs, in all its variants. */
export const registryNeeds: readonly Need[] = ["docker-registry", "htpasswd", "openssl", "setpriv"];

export interface RegistryOptions {
  /** The directory with its content. */
  readonly storage: string;
  /** Refuses pushes, so that several registries can share a storage; pushing is allowed if false. */
  readonly readOnly: boolean;
  /** HTTPS with a certificate of an authority that nobody knows; plain HTTP unless asked for. */
  readonly tls?: boolean;
  /** Who is let in; everybody unless given. */
  readonly login?: Login;
  /** What is to call the function at the end: the running test's end unless given. */
  readonly atTheEnd?: (stop: () => Promise<void>) => void;
}

/** A running Docker registry. */
export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What its clients have to know; undefined without TLS. */
  readonly certificates: Certificates | undefined;
  /** What was asked for while `act` ran, in the order in which the answers ended. */
  readonly requestsDuring: (act: () => Promise<unknown>) => Promise<readonly LoggedRequest[]>;
  /** Stops it; harmless when repeated. */
  readonly stop: () => Promise<void>;
}

/** Starts Debian's registry on a free port of the loopback interface, and waits for it. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { atTheEnd = onTestFinished } = options;
  const directory = makeScratchDir("registry", { mode: 0o755 });
  const certificates = options.tls ? await makeCertificates(directory) : undefined;
  const config = join(directory, "config.yml");
  const settings = { ...options, certificates, users: await usersFile(directory, options.login) };
  writeFileSync(config, JSON.stringify(configuration(settings)));
  // However this process ends, the registry ends with it.
  const argv = ["--pdeathsig", "KILL", "docker-registry", "serve", config];
  const child = execa("setpriv", argv, { reject: false, buffer: false });
  const stop = async () => {
    child.kill("SIGKILL");
    await child;
    rmSync(directory, { recursive: true, force: true });
  };
  atTheEnd(stop);
  const access = linesOf(child.stdout);
  const [, host = ""] = await lineThat(/listening on (127\.0\.0\.1:\d+)/, linesOf(child.stderr));
  let marks = 0;
  /** How many requests were logged before one that is made now. */
  const mark = async () => {
    const url = `/v2/?mark=${marks++}`;
    await ask(`${certificates ? "https" : "http"}://${host}${url}`, certificates?.authority);
    const pattern = new RegExp(`"GET ${url.replace("?", "\\?")} `);
    await lineThat(pattern, access);
    return access.findIndex((line) => pattern.test(line));
  };
  const requestsDuring = async (act: () => Promise<unknown>) => {
    const from = await mark();
    await act();
    const to = await mark();
    return access.slice(from + 1, to).map(parseAccess);
  };
  return { host, certificates, requestsDuring, stop };
}

/** A registry's configuration; JSON is YAML, too. */
function configuration(
  settings: RegistryOptions & { certificates: Certificates | undefined; users: string | undefined },
): unknown {
  const { storage, readOnly, certificates, users } = settings;
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: storage },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: readOnly } },
    },
    http: {
      addr: "127.0.0.1:0",
      secret: "only of the tests",
      ...(certificates && {
        tls: { certificate: certificates.certFile, key: certificates.keyFile },
      }),
    },
    ...(users !== undefined && { auth: { htpasswd: { realm: "the tests", path: users } } }),
  };
}

/** The registry accepts bcrypt alone. */
async function usersFile(directory: string, login: Login | undefined): Promise<string | undefined> {
  if (!login) return undefined;
  const path = join(directory, "htpasswd");
  const argv = ["-c", "-i", "-B", "-C", "4", path, login.user];
  await execa("htpasswd", argv, { input: login.password });
  return path;
}

/** Waits for a line; an error when it does not come. */
async function lineThat(pattern: RegExp, lines: Lines): Promise<RegExpExecArray> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(5)) {
    for (const line of lines) {
      const match = pattern.exec(line);
      if (match) return match;
    }
  }
  throw new Error(`The registry did not say ${pattern}, but: ${lines.join("\n")}`);
}

/** Makes a request, whatever the answer. */
async function ask(url: string, ca: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = ca === undefined ? get(url) : getSecurely(url, { ca });
    request
      .once("response", (response) => response.resume().once("close", resolve))
      .once("error", reject);
  });
}
