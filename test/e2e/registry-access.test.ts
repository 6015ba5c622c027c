import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { json } from "../support/image-parts.js";
import { manifestType } from "../support/oci-layout.js";
import {
  first,
  type Oddity,
  type OddRegistry,
  on,
  onDigest,
  startOddRegistry,
} from "../support/odd-registry.js";
import {
  basicAuthorization,
  basicNeeded,
  bearerNeeded,
  type Login,
  neverEnough,
  startTokenServer,
} from "../support/registry/authentication.js";
import { signature, startBlobHost } from "../support/registry/blob-host.js";
import { certifiedName, makeCertificates } from "../support/registry/certificates.js";
import { startProxy } from "../support/registry/connect-proxy.js";
import { failing, redirect, tooMany } from "../support/registry/oddities.js";
import { retagged, servedImage } from "../support/registry/registry-content.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, type RunResult, stageRootfs } from "./support/cli.js";
import { expectFailure, expectSecret, expectServed, patienceMs } from "./support/odd-runs.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { settingsFile } from "./support/settings-file.js";
import { stagedBy } from "./support/staged.js";

const image = servedImage();
const [base, large] = image.layers;
if (!base || !large) throw new Error("the image has other layers");

const login: Login = { user: "somebody", password: "pass-93b1-word" };
const token = "TOKEN-5e0c";
const basic = basicAuthorization(login).replace("Basic ", "");
const secrets = [login.password, basic, token, signature];

/** Stages a registry's image into a new cache, and expects that no secret got out. */
async function run(
  registry: OddRegistry,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<RunResult & { cacheDir: string }> {
  const cacheDir = freshCacheDir("ordinary");
  const line = ["--cache-dir", cacheDir, ...args, registry.reference()];
  const result = await stageRootfs(line, { timeoutMs: patienceMs, ...options });
  expectSecret(secrets, { run: result, cacheDir });
  return { ...result, cacheDir };
}

/** The same, and expects the image. */
async function expectImage(...args: Parameters<typeof run>): Promise<void> {
  const [registry, words = [], options] = args;
  expectServed(stagedBy(await run(registry, ["--json", ...words], options)), image);
}

/** An auth.json with the login, or with what else is given, for a registry. */
function authFile(host: string, entry: object = { auth: basic }): string {
  return settingsFile("auth.json", JSON.stringify({ auths: { [host]: entry } }));
}

const authorizations = (server: { requests: OddRegistry["requests"] }) =>
  new Set(server.requests.map(({ headers }) => headers.authorization));

describe("a token", () => {
  test("is got without a login where there is none", async () => {
    const tokens = await startTokenServer({ token });
    const guard = bearerNeeded({ token, realm: tokens.realm });
    const registry = await startOddRegistry([guard], { content: image });
    await expectImage(registry);
    expect([...authorizations(tokens)]).toEqual([undefined]);
    const [{ url } = { url: "" }, ...more] = tokens.requests;
    expect(more).toEqual([]);
    const { searchParams } = new URL(url, tokens.url);
    expect(searchParams.get("service")).toBe("registry.test");
    expect(searchParams.get("scope")).toBe(`repository:${image.repository}:pull`);
  });

  test("is got with the login, which the registry itself never sees", async () => {
    const tokens = await startTokenServer({ token, login });
    const guard = bearerNeeded({ token, realm: tokens.realm });
    const registry = await startOddRegistry([guard], { content: image });
    await expectImage(registry, ["--authfile", authFile(registry.host)]);
    expect(authorizations(tokens)).toContain(basicAuthorization(login));
    expect([...authorizations(registry)]).toEqual([undefined, `Bearer ${token}`]);
  });

  test("is got with an identity token", async () => {
    const identityToken = "IDENTITY-77aa";
    const reply = { access_token: token };
    const tokens = await startTokenServer({ token, login, identityToken, reply });
    const guard = bearerNeeded({ token, realm: tokens.realm });
    const registry = await startOddRegistry([guard], { content: image });
    const entry = {
      auth: Buffer.from("00000000:").toString("base64"),
      identitytoken: identityToken,
    };
    await expectImage(registry, ["--authfile", authFile(registry.host, entry)]);
    expect(tokens.requests.map(({ method }) => method)).toContain("POST");
  });

  test("that is over is got anew", async () => {
    const tokens = await startTokenServer({ token, reply: { token, expires_in: 1 } });
    const guard = bearerNeeded({ token, realm: tokens.realm });
    const over = [base, large].map(({ digest }) =>
      onDigest(digest, first(1, neverEnough(`Bearer realm="${tokens.realm}"`))),
    );
    const registry = await startOddRegistry([guard, ...over], { content: image });
    await expectImage(registry);
    expect(tokens.requests.length).toBeGreaterThan(1);
  });

  test.for([
    ["for everybody else is refused: 77", { login }, [77]],
    ["that is none: 69 or 77", { reply: { token: 5 } }, [69, 77]],
    ["in an answer without one: 69 or 77", { reply: {} }, [69, 77]],
    ["that would break a header: 69 or 77", { reply: { token: "a\r\nx: b" } }, [69, 77]],
    ["that the registry does not take: 77", { reply: { token: "other" } }, [77]],
  ] as const)("%s", async ([, options, exitCodes]) => {
    const tokens = await startTokenServer({ token, ...options });
    const guard = bearerNeeded({ token, realm: tokens.realm });
    const registry = await startOddRegistry([guard], { content: image });
    const wrong = { auth: Buffer.from("somebody:else").toString("base64") };
    for (const args of [[], ["--authfile", authFile(registry.host, wrong)]]) {
      const result = await run(registry, args);
      expectFailure(result, { cacheDir: result.cacheDir, exitCodes });
    }
  });

  test.for(["http://tokens.invalid/token", "ftp://127.0.0.1/token", "token", ""])(
    "is not asked for at %j",
    async (realm) => {
      const registry = await startOddRegistry([bearerNeeded({ token, realm })], { content: image });
      const result = await run(registry, ["--authfile", authFile(registry.host)]);
      expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [69, 77] });
      expect([...authorizations(registry)]).toEqual([undefined]);
    },
  );
});

describe("a login", () => {
  test("goes to the registry that it is for", async () => {
    const registry = await startOddRegistry([basicNeeded(login)], { content: image });
    const authfile = authFile(registry.host);
    await expectImage(registry, ["--authfile", authfile]);
    await expectImage(registry, [], { env: { REGISTRY_AUTH_FILE: authfile } });
    const other = await run(registry, ["--authfile", authFile("127.0.0.1:1")]);
    expectFailure(other, { cacheDir: other.cacheDir, exitCodes: [77], says: /login|--authfile/ });
  });

  test("may be a repository's alone", async () => {
    const registry = await startOddRegistry([basicNeeded(login)], { content: image });
    const wrong = Buffer.from("somebody:else").toString("base64");
    const auths = {
      [registry.host]: { auth: wrong },
      [`${registry.host}/odd`]: { auth: wrong },
      [`${registry.host}/${image.repository}`]: { auth: basic },
      [`${registry.host}/${image.repository}s`]: { auth: wrong },
    };
    const authfile = settingsFile("auth.json", JSON.stringify({ auths }));
    await expectImage(registry, ["--authfile", authfile]);
  });

  test("may come from a helper", async () => {
    const registry = await startOddRegistry([basicNeeded(login)], { content: image });
    const answer = JSON.stringify({ Username: login.user, Secret: login.password });
    const script = `#!/bin/sh\nread host\n[ "$1 $host" = "get ${registry.host}" ] && echo '${answer}'\n`;
    const helper = settingsFile("docker-credential-test", script, { mode: 0o755 });
    const settings = { credHelpers: { [registry.host]: "test" } };
    const authfile = settingsFile("auth.json", JSON.stringify(settings));
    const { PATH = "" } = process.env;
    const env = { PATH: `${dirname(helper)}:${PATH}` };
    await expectImage(registry, ["--authfile", authfile], { env });
  });

  test("is not asked for where nobody needs it", async () => {
    const registry = await startOddRegistry([], { content: image });
    await expectImage(registry, ["--authfile", authFile(registry.host)]);
    expect([...authorizations(registry)]).toEqual([undefined]);
  });

  test.for([
    ["no JSON", "{"],
    ["no object", '"auths"'],
    ["no base64", '{"auths": {"HOST": {"auth": "%%%"}}}'],
  ])("in a file that is %s: 78", async ([, text = ""]) => {
    const registry = await startOddRegistry([basicNeeded(login)], { content: image });
    const authfile = settingsFile("auth.json", text.replace("HOST", registry.host));
    const result = await run(registry, ["--authfile", authfile]);
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [78], says: /auth\.json/ });
  });

  test("that a registry repeats in its refusal is not shown", async () => {
    const echo: Oddity = (answer, request) =>
      request.headers.authorization === undefined
        ? answer
        : failing(403, { message: `${request.headers.authorization} may not` })(answer, request);
    const registry = await startOddRegistry([basicNeeded(login), echo], { content: image });
    const result = await run(registry, ["--authfile", authFile(registry.host)]);
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [77] });
  });
});

describe("another host", () => {
  test("gives the blobs, and sees neither login nor token", async () => {
    const host = await startBlobHost(image);
    const tokens = await startTokenServer({ token, login });
    const oddities = [
      bearerNeeded({ token, realm: tokens.realm }),
      on("layer", redirectAfterLogin(host.location)),
      on("config", redirectAfterLogin(host.location)),
    ];
    const registry = await startOddRegistry(oddities, { content: image });
    await expectImage(registry, ["--authfile", authFile(registry.host)]);
    expect(host.requests).toHaveLength(3);
    expect([...authorizations(host)]).toEqual([undefined]);
  });

  test("that has other content: 65, and the address with its secret is not shown", async () => {
    const bent = servedImage({ mark: "bent" });
    const [, other] = bent.layers;
    const host = await startBlobHost(bent);
    const address = host.location.replace("{digest}", other?.digest ?? "");
    const oddities = [on("layer", redirect(address))];
    const registry = await startOddRegistry(oddities, { content: image });
    const result = await run(registry);
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [65] });
  });

  test("that refuses: the address with its secret is not shown", async () => {
    const host = await startBlobHost({ ...image, files: new Map() });
    const oddities = [on("layer", redirect(host.location))];
    const registry = await startOddRegistry(oddities, { content: image });
    const result = await run(registry);
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [66, 69] });
  });

  test("gives layers that are foreign, if that is allowed", async () => {
    const host = await startBlobHost(image);
    const urls = [host.location.replace("{digest}", large.digest)];
    const document = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: image.config,
      layers: [base, { ...large, urls }],
    };
    const content = retagged(image, { bytes: json(document), mediaType: manifestType });
    const oddities = [
      on("layer", (answer, request) =>
        request.reference === large.digest ? failing(404)(answer, request) : answer,
      ),
    ];
    const registry = await startOddRegistry(oddities, { content });
    await expectImage(registry, ["--allow-foreign-layers"]);
    expect([...authorizations(host)]).toEqual([undefined]);
  });
});

/** A redirect for those whom the registry would let in. */
function redirectAfterLogin(to: string): Oddity {
  return (answer, request) => (answer.status === 200 ? redirect(to)(answer, request) : answer);
}

describe("mirrors", () => {
  /** A registries.conf that knows a registry which does not exist, and its mirrors. */
  function conf(mirrors: readonly string[], more = ""): string {
    const text = [
      '[[registry]]\nprefix = "registry.invalid"\nlocation = "registry.invalid"',
      more,
      ...mirrors.map((mirror) => `[[registry.mirror]]\nlocation = "${mirror}"`),
    ];
    return settingsFile("registries.conf", text.join("\n"));
  }

  const reference = `docker://registry.invalid/${image.repository}:latest`;

  async function runFor(text: string, args: readonly string[] = []) {
    const cacheDir = freshCacheDir("ordinary");
    const line = ["--cache-dir", cacheDir, "--registries-conf", text, ...args];
    return { ...(await stageRootfs([...line, reference], { timeoutMs: patienceMs })), cacheDir };
  }

  test("are asked in their order, the next one when one fails", async () => {
    const broken = await Promise.all(
      [failing(404), failing(503), tooMany(0)].map((oddity) =>
        startOddRegistry([oddity], { content: image }),
      ),
    );
    const good = await startOddRegistry([], { content: image });
    const mirrors = [...broken, good].map(({ host }) => host);
    const result = await runFor(conf(mirrors), ["--json"]);
    expectServed(stagedBy(result), image);
    for (const { requests } of broken) expect(requests.length).toBeGreaterThan(0);
  });

  test("by their own path", async () => {
    const mirror = await startOddRegistry([], {
      content: { ...image, repository: "a/b/odd/image" },
    });
    expectServed(stagedBy(await runFor(conf([`${mirror.host}/a/b`]), ["--json"])), image);
  });

  test("for digests alone are not asked for tags", async () => {
    const digests = await startOddRegistry([], { content: image });
    const tags = await startOddRegistry([], { content: image });
    const text = `[[registry]]
location = "registry.invalid"
[[registry.mirror]]
location = "${digests.host}"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "${tags.host}"
pull-from-mirror = "tag-only"
`;
    const result = await runFor(settingsFile("registries.conf", text), ["--json"]);
    expectServed(stagedBy(result), image);
    expect(digests.seen("manifest").filter(({ reference }) => reference === "latest")).toEqual([]);
    expect(tags.seen("manifest").map(({ reference }) => reference)).toContain("latest");
  });

  test("in vain: 69, and all are named", async () => {
    const mirrors = await Promise.all(
      [failing(500), failing(404)].map((oddity) => startOddRegistry([oddity], { content: image })),
    );
    const result = await runFor(conf(mirrors.map(({ host }) => host)));
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [69] });
    for (const host of [...mirrors.map(({ host }) => host), "registry.invalid"]) {
      expect(result.stderr).toContain(host);
    }
  });

  test("of a blocked registry are not asked", async () => {
    const mirror = await startOddRegistry([], { content: image });
    const result = await runFor(conf([mirror.host], "blocked = true"));
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [77, 78], says: /blocked/ });
    expect(mirror.requests).toEqual([]);
  });

  test.for([
    ["no TOML", "[[registry"],
    ["of another form", 'registry = "x"'],
    ["of version 1", '[registries.search]\nregistries = ["x.invalid"]\n'],
  ])("in a file that is %s: 78", async ([, text = ""]) => {
    const result = await runFor(settingsFile("registries.conf", text));
    const says = /registries\.conf/;
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [78], says });
  });

  test("a short name is looked up only if asked for", async () => {
    const registry = await startOddRegistry([], { content: image });
    const text = `[aliases]\n"short" = "${registry.host}/${image.repository}"\n`;
    const file = settingsFile("registries.conf", text);
    const cacheDir = freshCacheDir("ordinary");
    const line = ["--json", "--cache-dir", cacheDir, "--registries-conf", file];
    const found = await stageRootfs([...line, "--short-names", "docker://short"]);
    expectServed(stagedBy(found), image);
    const unasked = await stageRootfs([...line, "--offline", "docker://short"]);
    expect(unasked.exitCode).toBe(66);
  });
});

describe("with TLS", () => {
  const tlsTest = testNeeding(["openssl"]);

  /** A registry with a certificate, and the directory with that of its authority. */
  async function withTls(oddities: readonly Oddity[] = []) {
    const directory = makeScratchDir("certificates", { mode: 0o755 });
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const { certDir, cert, key } = await makeCertificates(directory);
    const options = { content: image, tls: { cert, key } };
    return { certDir, registry: await startOddRegistry(oddities, options) };
  }

  tlsTest("a redirect to a host without it is not followed", async () => {
    const { certDir, registry } = await withTls([
      on("layer", redirect("http://blobs.invalid/{digest}")),
    ]);
    const result = await run(registry, ["--cert-dir", certDir]);
    const says = /blobs\.invalid/;
    expectFailure(result, { cacheDir: result.cacheDir, exitCodes: [69], says });
  });

  tlsTest("HTTPS_PROXY is used, but not for what NO_PROXY names", async () => {
    const { certDir, registry } = await withTls();
    const proxy = await startProxy(registry.port);
    const cacheDir = freshCacheDir("ordinary");
    const reference = `docker://${certifiedName}/${image.repository}:latest`;
    const args = ["--json", "--cache-dir", cacheDir, "--cert-dir", certDir, reference];
    const user = `${login.user}:${login.password}`;
    const env = { HTTPS_PROXY: `http://${user}@${proxy.host}` };
    const around = await stageRootfs(args, { env: { ...env, NO_PROXY: certifiedName } });
    expect(around.exitCode).toBe(69);
    expect(proxy.asked).toEqual([]);
    const through = await stageRootfs(args, { env });
    expectServed(stagedBy(through), image);
    const authorization = basicAuthorization(login);
    expect(proxy.asked).toContainEqual({ to: `${certifiedName}:443`, authorization });
    for (const result of [around, through]) expectSecret(secrets, { run: result, cacheDir });
  });

  tlsTest("a proxy that is not there is 69, without its password", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const env = { HTTPS_PROXY: `http://${login.user}:${login.password}@127.0.0.1:1` };
    const reference = `docker://${certifiedName}/${image.repository}:latest`;
    const result = await stageRootfs(["--cache-dir", cacheDir, reference], { env });
    expectFailure(result, { cacheDir, exitCodes: [69] });
    expectSecret(secrets, { run: result, cacheDir });
  });
});
