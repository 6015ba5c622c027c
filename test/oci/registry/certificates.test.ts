import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { describe, expect, it, type TestContext } from "vitest";
import { loadCertificates } from "../../../src/oci/registry/certificates.js";
import { needOpenssl, TestAuthority } from "../../support/authority.js";
import { refusal } from "../../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../../support/scratch-directory.js";

const registry = "registry.test:5000";

/** A machine with these files, by their path in it, and what is loaded on it. */
function machine(files: Readonly<Record<string, string>>) {
  const root = scratchDirectory();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const places = {
    user: join(root, "user"),
    system: join(root, "etc"),
    docker: join(root, "docker"),
    cache: join(root, "cache"),
  };
  const load = (certDir?: string) =>
    loadCertificates(registry, {
      places,
      certDir: certDir === undefined ? undefined : join(root, certDir),
    });
  return { root, load };
}

const [a = "", b = ""] = rootCertificates;
const none = { authorities: [], client: undefined };

/** What a client and another one have. */
function twoClients(context: TestContext) {
  needOpenssl(context);
  const authority = new TestAuthority(scratchDirectory());
  return { client: authority.issue("client"), other: authority.issue("other") };
}

describe("loadCertificates", () => {
  it("gives none where there is no directory for the registry", () => {
    const { load } = machine({
      "etc/certs.d/registry.test/a.crt": a,
      "etc/certs.d/registry.test:5001/a.crt": a,
      "etc/certs.d/a.crt": a,
    });
    expect(load()).toEqual(none);
  });

  it.each([
    { first: "user/certs.d", second: "etc/certs.d" },
    { first: "etc/certs.d", second: "docker/certs.d" },
    { first: "docker/certs.d", second: "docker" },
  ])("takes the directory in $first before the one in $second", ({ first, second }) => {
    const { load } = machine({
      [`${first}/${registry}/a.crt`]: a,
      [`${second}/${registry}/b.crt`]: b,
    });
    expect(load().authorities).toEqual([a]);
  });

  it("takes an empty directory for an answer", () => {
    const { load } = machine({
      [`user/certs.d/${registry}/README`]: "",
      [`etc/certs.d/${registry}/b.crt`]: b,
    });
    expect(load()).toEqual(none);
  });

  it.each([
    { of: "itself", files: { "own/a.crt": a } },
    {
      of: "its directory for the registry",
      files: { [`own/${registry}/a.crt`]: a, "own/b.crt": b },
    },
  ])("takes of --cert-dir $of, and of no other", ({ files }) => {
    const { load } = machine({ ...files, [`user/certs.d/${registry}/b.crt`]: b });
    expect(load("own").authorities).toEqual([a]);
  });

  it("refuses a --cert-dir that is not there", () => {
    const { root, load } = machine({});
    expect(refusal(() => load("own"))).toMatchObject({
      code: "CONFIG",
      message: `${join(root, "own")}: there is no such directory`,
      hint: "correct --cert-dir",
    });
  });

  it("reads authorities, all in each file, and the client's certificate and key", (context) => {
    const { client } = twoClients(context);
    const { load } = machine({
      "own/1.crt": `About this:\n${a}\n${b}\n`,
      "own/2.crt": a,
      "own/client.cert": client.cert,
      "own/client.key": client.key,
      "own/notes.txt": "nothing",
    });
    expect(load("own")).toEqual({
      authorities: [a, b, a],
      client,
    });
  });

  it.each([
    {
      fault: "a certificate without its key",
      files: { "own/x.cert": b, "own/y.key": "KEY" },
      says: "own/x.cert: its key, x.key, is missing",
      hint: "call it .crt",
    },
    {
      fault: "a key without its certificate",
      files: { "own/x.cert": b, "own/x.key": "KEY", "own/y.key": "KEY" },
      says: "own/y.key: its certificate, y.cert, is missing",
    },
    {
      fault: "two client certificates",
      files: { "own/x.cert": b, "own/x.key": "KEY", "own/z.cert": b, "own/z.key": "KEY" },
      says: "own: there are several client certificates, x.cert and z.cert",
      hint: "keep the one to use",
    },
    {
      fault: "what is no key",
      files: { "own/x.cert": b, "own/x.key": "KEY" },
      says: "own/x.key: it is not the key, without a passphrase, of ",
    },
    {
      fault: "an authority in another format",
      files: { "own/a.crt": "DER" },
      says: "own/a.crt: it holds no certificate in PEM",
    },
    {
      fault: "an authority that is cut short",
      files: { "own/a.crt": a.replace(/\n.{60,80}\n/, "\n") },
      says: "own/a.crt: it holds a certificate that is damaged",
    },
    {
      fault: "a client's certificate that is cut short",
      files: { "own/x.cert": b.replace(/\n.{60,80}\n/, "\n"), "own/x.key": "KEY" },
      says: "own/x.cert: it holds a certificate that is damaged",
    },
  ])("refuses $fault, and names the file", ({ files, says, hint = "correct the file" }) => {
    const { root, load } = machine(files);
    const error = refusal(() => load("own"));
    expect(error.code).toBe("CONFIG");
    expect(error.message).toContain(join(root, says));
    expect(error.hint).toContain(hint);
  });

  it("refuses the key of another certificate, without showing it", (context) => {
    const { client, other } = twoClients(context);
    const { root, load } = machine({ "own/x.cert": client.cert, "own/x.key": other.key });
    const error = refusal(() => load("own"));
    const [cert, key] = [join(root, "own/x.cert"), join(root, "own/x.key")];
    expect(error.message).toBe(`${key}: it is not the key, without a passphrase, of ${cert}`);
  });

  it("refuses a link to nothing", () => {
    const { root, load } = machine({ "own/x": "" });
    symlinkSync("/nowhere", join(root, "own/a.crt"));
    expect(refusal(() => load("own")).message).toBe(
      `${join(root, "own/a.crt")}: the file it links to is missing`,
    );
  });

  it("refuses a file that may not be read", () => {
    const { root, load } = machine({ "own/client.cert": b, "own/client.key": "KEY" });
    chmodSync(join(root, "own/client.key"), 0);
    asOrdinaryUser(root, () => {
      expect(refusal(() => load("own"))).toMatchObject({
        code: "CONFIG",
        message: `cannot read ${join(root, "own/client.key")}: permission denied`,
      });
    });
  });

  it("passes over a directory of the machine that is closed, but not over --cert-dir", () => {
    const { root, load } = machine({
      [`etc/certs.d/${registry}/a.crt`]: a,
      [`docker/certs.d/${registry}/b.crt`]: b,
      "own/a.crt": a,
    });
    chmodSync(join(root, "etc/certs.d"), 0);
    chmodSync(join(root, "own"), 0);
    asOrdinaryUser(root, () => {
      expect(load().authorities).toEqual([b]);
      expect(refusal(() => load("own")).code).toBe("CONFIG");
    });
    chmodSync(join(root, "etc/certs.d"), 0o700);
    chmodSync(join(root, "own"), 0o700);
  });
});
