const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates in a file in PEM (RFC 7468), each alone; what is between them is passed over. */
export function certificatesIn(pem: string): readonly string[] {
  return pem.match(certificate) ?? [];
}
