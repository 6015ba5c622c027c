import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";

/** Skips the test where certificates can't be made. */
export function needOpenssl(context: TestContext): void {
  if (spawnSync("openssl", ["version"]).status === 0) return;
  context.skip("openssl is not installed (Debian package openssl)");
}

/** A certificate and its key, in PEM, and the files they are in. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates, with its files in a directory. */
export class TestAuthority {
  readonly #directory: string;
  /** Its own certificate in PEM. */
  readonly cert: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.cert = this.#make("authority", ["-addext", "basicConstraints=critical,CA:TRUE"]).cert;
  }

  /** A certificate for the hosts, such as `DNS:a.test` or `IP:127.0.0.1`, and for clients. */
  issue(name: string, hosts = `DNS:${name}`): Credentials {
    const signer = ["-CA", this.#path("authority.crt"), "-CAkey", this.#path("authority.key")];
    return this.#make(name, [...signer, "-addext", `subjectAltName=${hosts}`]);
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #make(name: string, options: readonly string[]): Credentials {
    const files = { cert: this.#path(`${name}.crt`), key: this.#path(`${name}.key`) };
    const result = spawnSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-days", "2", "-subj", `/CN=${name}`, "-out", files.cert, "-keyout", files.key],
        ...options,
      ],
      { encoding: "utf8" },
    );
    if (result.status !== 0) throw new Error(`openssl: ${result.stderr}`);
    return { cert: readFileSync(files.cert, "utf8"), key: readFileSync(files.key, "utf8") };
  }
}
