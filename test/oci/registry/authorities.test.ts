import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, it } from "vitest";
import { trustedAuthorities } from "../../../src/oci/registry/authorities.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/** What looks like a certificate; nothing here looks inside. */
function pem(content: string) {
  return `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----`;
}

function bundles() {
  const directory = scratchDirectory();
  const put = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  return { put, missing: join(directory, "missing") };
}

function beyondNode(environment: NodeJS.ProcessEnv, paths: readonly string[]) {
  const all = trustedAuthorities(environment, paths);
  expect(all.slice(0, rootCertificates.length)).toEqual(rootCertificates);
  return all.slice(rootCertificates.length);
}

describe("trustedAuthorities", () => {
  it("are Node's where there are no others", () => {
    expect(beyondNode({}, [bundles().missing])).toEqual([]);
  });

  it("have those of the first bundle that there is, each once", () => {
    const { put, missing } = bundles();
    const root = rootCertificates[0]?.replace(/(?<=^.{32})(?=.{32})/gm, "\n");
    expect(rootCertificates).not.toContain(root);
    const first = put("first", `# A\n${pem("A")}\n${pem("B")}\n${pem("A")}\n${root}\n`);
    const second = put("second", pem("C"));
    expect(beyondNode({}, [missing, first, second])).toEqual([pem("A"), pem("B")]);
  });

  it("have those of SSL_CERT_FILE in the bundle's place", () => {
    const { put } = bundles();
    const environment = { SSL_CERT_FILE: put("own", pem("A")) };
    expect(beyondNode(environment, [put("bundle", pem("B"))])).toEqual([pem("A")]);
  });

  it("have the bundle's where SSL_CERT_FILE names nothing", () => {
    const { put, missing } = bundles();
    const environment = { SSL_CERT_FILE: missing, NODE_EXTRA_CA_CERTS: missing };
    expect(beyondNode(environment, [put("bundle", pem("B"))])).toEqual([pem("B")]);
  });

  it("have those of NODE_EXTRA_CA_CERTS besides", () => {
    const { put } = bundles();
    const environment = { NODE_EXTRA_CA_CERTS: put("extra", pem("A")) };
    expect(beyondNode(environment, [put("bundle", pem("B"))])).toEqual([pem("B"), pem("A")]);
  });

  it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])(
    "refuse a file of %s that holds none",
    (name) => {
      const path = bundles().put("own", "no certificate");
      expect(refusal(() => trustedAuthorities({ [name]: path }, []))).toMatchObject({
        code: "CONFIG",
        message: `${path} holds no certificate in PEM`,
        hint: expect.stringContaining(name),
      });
    },
  );
});
