import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { errnoOf, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { listConfigDirectory, readConfigFile } from "../../host/config-file.js";
import type { ContainersPlaces } from "./containers-places.js";
import { certificatesIn } from "./pem.js";

/** What identifies a client to a registry, in PEM. */
export interface ClientIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What one registry needs beyond what the machine trusts (containers-certs.d(5)). */
export interface HostCertificates {
  /** Certificates of authorities, each in PEM. */
  readonly authorities: readonly string[];
  readonly client: ClientIdentity | undefined;
}

export interface CertificateOptions {
  /** `--cert-dir DIR`: its `HOST[:PORT]` directory if there is one, else itself; nothing else. */
  readonly certDir: string | undefined;
  readonly places: ContainersPlaces;
}

/**
 * The certificates for a registry: those of the first directory that there is for it, as
 * containers-certs.d(5), "Directory structure", describes it.
 * @param registry `HOST[:PORT]`
 * @throws StageError CONFIG where a file can't be read, is no certificate, or lacks its other half
 */
export function loadCertificates(registry: string, options: CertificateOptions): HostCertificates {
  const directory = certificateDirectory(registry, options);
  if (directory === undefined) return { authorities: [], client: undefined };
  const { path, names } = directory;
  const authorities = names
    .filter((name) => name.endsWith(".crt"))
    .flatMap((name) => readAuthorities(join(path, name)));
  return { authorities, client: clientIn(path, names) };
}

interface Directory {
  readonly path: string;
  readonly names: readonly string[];
}

function certificateDirectory(
  registry: string,
  { certDir, places }: CertificateOptions,
): Directory | undefined {
  if (certDir !== undefined) {
    const found = directoryAt(join(certDir, registry)) ?? directoryAt(certDir);
    if (found) return found;
    throw wrong(certDir, { what: "there is no such directory", hint: "correct --cert-dir" });
  }
  for (const place of [places.user, places.system, places.docker]) {
    const found = directoryAt(join(place, "certs.d", registry), { mayBeClosed: true });
    if (found) return found;
  }
  return undefined;
}

function directoryAt(path: string, options?: { mayBeClosed: boolean }): Directory | undefined {
  try {
    const names = listConfigDirectory(path);
    return names && { path, names };
  } catch (error) {
    // The machine may keep its own to itself; whether there is anything in it can't be known.
    const isClosed = error instanceof StageError && errnoOf(error.cause) === "EACCES";
    if (isClosed && options?.mayBeClosed) return undefined;
    throw error;
  }
}

function readAuthorities(path: string): readonly string[] {
  const found = certificatesIn(readPart(path));
  if (found.length === 0) throw wrong(path, { what: "it holds no certificate in PEM" });
  for (const pem of found) parseCertificate(pem, path);
  return found;
}

function clientIn(path: string, names: readonly string[]): ClientIdentity | undefined {
  const certs = stems(names, ".cert");
  const keys = stems(names, ".key");
  for (const stem of certs) {
    if (keys.includes(stem)) continue;
    throw wrong(join(path, `${stem}.cert`), {
      what: `its key, ${stem}.key, is missing`,
      hint: "add the key; if it is the certificate of an authority, call it .crt",
    });
  }
  for (const stem of keys) {
    if (certs.includes(stem)) continue;
    throw wrong(join(path, `${stem}.key`), { what: `its certificate, ${stem}.cert, is missing` });
  }
  const [stem, another] = certs;
  if (stem === undefined) return undefined;
  if (another !== undefined) {
    throw wrong(path, {
      what: `there are several client certificates, ${stem}.cert and ${another}.cert`,
      hint: "keep the one to use, or name another directory with --cert-dir",
    });
  }
  return readClient(join(path, `${stem}.cert`), join(path, `${stem}.key`));
}

function stems(names: readonly string[], extension: string): readonly string[] {
  return names
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length));
}

function readClient(certPath: string, keyPath: string): ClientIdentity {
  const cert = readPart(certPath);
  const key = readPart(keyPath);
  for (const pem of certificatesIn(cert)) parseCertificate(pem, certPath);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw wrong(keyPath, {
      what: `it is not the key, without a passphrase, of ${certPath}`,
      cause: error,
    });
  }
  return { cert, key };
}

function parseCertificate(pem: string, path: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw wrong(path, { what: "it holds a certificate that is damaged", cause: error });
  }
}

function readPart(path: string): string {
  const text = readConfigFile(path);
  if (text === undefined) throw wrong(path, { what: "the file it links to is missing" });
  return text;
}

function wrong(path: string, fault: { what: string; hint?: string; cause?: unknown }): StageError {
  return new StageError("CONFIG", `${printable(path)}: ${printable(fault.what)}`, {
    hint: fault.hint ?? "correct the file, or name another directory with --cert-dir",
    cause: fault.cause,
  });
}
