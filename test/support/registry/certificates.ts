import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

/** An authority of its own and what it signed for a server on the loopback interface. */
export interface Certificates {
  /** A directory as for `--cert-dir`: it holds the authority's certificate alone. */
  readonly certDir: string;
  /** Paths of the server's certificate and key. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The same as PEM texts. */
  readonly cert: string;
  readonly key: string;
  /** The authority's certificate as PEM text. */
  readonly authority: string;
}

/** A name that no name server knows. */
export const certifiedName = "registry.test";

/** Makes certificates in a directory, for 127.0.0.1, localhost and {@link certifiedName}. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const certDir = join(directory, "certs.d");
  mkdirSync(certDir, { recursive: true, mode: 0o755 });
  const authority = { cert: join(certDir, "ca.crt"), key: join(directory, "ca.key") };
  const server = { cert: join(directory, "server.crt"), key: join(directory, "server.key") };
  await certify(authority, {
    subject: "/CN=authority of the tests",
    extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"],
  });
  await certify(server, {
    subject: "/CN=registry of the tests",
    extensions: [
      "basicConstraints=critical,CA:FALSE",
      `subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:${certifiedName}`,
      "extendedKeyUsage=serverAuth",
    ],
    signer: authority,
  });
  return {
    certDir,
    certFile: server.cert,
    keyFile: server.key,
    cert: readFileSync(server.cert, "utf8"),
    key: readFileSync(server.key, "utf8"),
    authority: readFileSync(authority.cert, "utf8"),
  };
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

async function certify(
  { cert, key }: Pair,
  about: { subject: string; extensions: readonly string[]; signer?: Pair },
): Promise<void> {
  const { subject, extensions, signer } = about;
  await execa("openssl", [
    ...["req", "-x509", "-nodes", "-days", "2", "-subj", subject, "-out", cert, "-keyout", key],
    ...["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    ...extensions.flatMap((extension) => ["-addext", extension]),
    ...(signer ? ["-CA", signer.cert, "-CAkey", signer.key] : []),
  ]);
}
