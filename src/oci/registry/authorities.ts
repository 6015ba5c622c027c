import { rootCertificates } from "node:tls";
import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { readConfigFile } from "../../host/config-file.js";
import { certificatesIn } from "./pem.js";

/** Where distributions keep what they trust; the first that is there counts. */
const bundles: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * The certificates of all authorities that this machine trusts, each in PEM: Node's own, and the
 * distribution's or in its place those of `SSL_CERT_FILE`. Those of `NODE_EXTRA_CA_CERTS` are among
 * them because Node leaves them out as soon as it is given any others.
 * @param paths where a distribution's bundle may be; for tests
 * @throws StageError CONFIG where such a file can't be read or holds no certificate
 */
export function trustedAuthorities(
  environment: NodeJS.ProcessEnv,
  paths: readonly string[] = bundles,
): readonly string[] {
  const named = environment["SSL_CERT_FILE"];
  const extra = environment["NODE_EXTRA_CA_CERTS"];
  // Both variables often outlive the files they name; other programs pass over these too.
  const machine = firstBundle(named ? [named, ...paths] : paths);
  const added = firstBundle(extra ? [extra] : []);
  return eachOnce([...rootCertificates, ...machine, ...added]);
}

/** OpenSSL takes a while for each, and most are in both lists, but with lines of other lengths. */
function eachOnce(certificates: readonly string[]): readonly string[] {
  const byContent = new Map<string, string>();
  for (const pem of certificates) {
    const content = pem.replace(/\s/g, "");
    if (!byContent.has(content)) byContent.set(content, pem);
  }
  return [...byContent.values()];
}

function firstBundle(paths: readonly string[]): readonly string[] {
  for (const path of paths) {
    const text = readConfigFile(path);
    if (text === undefined) continue;
    const found = certificatesIn(text);
    if (found.length > 0) return found;
    throw new StageError("CONFIG", `${printable(path)} holds no certificate in PEM`, {
      hint: "correct the file, or SSL_CERT_FILE or NODE_EXTRA_CA_CERTS if one of them names it",
    });
  }
  return [];
}
