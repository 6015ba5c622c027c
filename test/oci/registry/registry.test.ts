import { describe, expect, test } from "vitest";
import { digestOf, parseDigest } from "../../../src/oci/digest.js";
import { first, type Oddity, on, startOddRegistry } from "../../support/odd-registry.js";
import { rejection } from "../../support/refusal.js";
import { askRegistry } from "../../support/registry/ask-registry.js";
import {
  basicNeeded,
  bearerNeeded,
  neverEnough,
  startTokenServer,
} from "../../support/registry/authentication.js";
import { startBlobHost } from "../../support/registry/blob-host.js";
import {
  body,
  corrupted,
  cut,
  failing,
  headers,
  redirect,
  tooMany,
} from "../../support/registry/oddities.js";
import { servedImage } from "../../support/registry/registry-content.js";

const image = servedImage();
const config = { digest: parseDigest(image.config.digest), size: image.config.size };

const login = { user: "somebody", password: "hunter2-secret" };
const credentials = { kind: "password", username: login.user, password: login.password } as const;

describe("a manifest", () => {
  test("comes by tag and by digest, with what it is", async () => {
    const server = await startOddRegistry();
    const registry = askRegistry([server.host]);
    const byTag = await registry.manifest("latest");
    expect(byTag).toMatchObject({
      digest: image.manifest.digest,
      mediaType: image.manifest.mediaType,
    });
    expect(await registry.manifest(image.manifest.digest)).toEqual(byTag);
    expect(await registry.headDigest("latest")).toBe(image.manifest.digest);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "GET", "HEAD"]);
  });

  test("is asked for with all its types", async () => {
    const server = await startOddRegistry();
    await askRegistry([server.host]).manifest("latest");
    const accepted = server.requests[0]?.headers.accept?.split(", ");
    expect(accepted).toContain("application/vnd.oci.image.index.v1+json");
    expect(accepted).toContain("application/vnd.docker.distribution.manifest.v2+json");
  });

  const faults: readonly (readonly [string, Oddity, { code: string; tries?: number }])[] = [
    ["that is not what its digest says", body("{}"), { code: "DIGEST_MISMATCH" }],
    ["with one bit wrong", corrupted, { code: "DIGEST_MISMATCH" }],
    ["that is too long", body(Buffer.alloc(1024 ** 2 + 1)), { code: "LIMIT_DOCUMENT" }],
    ["that is not there", failing(404), { code: "NOT_FOUND" }],
    ["that is denied", failing(403), { code: "AUTH" }],
    ["of a broken registry", failing(500), { code: "REGISTRY", tries: 5 }],
    ["of a registry that hangs up", cut(10, "reset"), { code: "REGISTRY", tries: 5 }],
    [
      "of a registry that asks to come back tomorrow",
      tooMany(86_400),
      { code: "REGISTRY", tries: 1 },
    ],
    [
      "of a registry that wants a login of an unknown kind",
      neverEnough("Digest x=1"),
      { code: "AUTH" },
    ],
    ["of a registry that wants a login", neverEnough('Basic realm="r"'), { code: "AUTH" }],
  ];
  test.for(faults)("%s is an error", async ([, fault, { code, tries }]) => {
    const server = await startOddRegistry([on("manifest", fault)]);
    const error = await rejection(askRegistry([server.host]).manifest(image.manifest.digest));
    expect(error).toMatchObject({ name: "StageError", code });
    if (tries !== undefined) expect(server.requests).toHaveLength(tries);
  });

  test("comes after a while from a registry that is busy", async () => {
    const busy = [on("manifest", first(2, failing(503))), on("manifest", first(3, tooMany(0)))];
    const server = await startOddRegistry(busy);
    const found = await askRegistry([server.host]).manifest("latest");
    expect(found.digest).toBe(image.manifest.digest);
    expect(server.requests).toHaveLength(4);
  });

  test("comes from the next mirror when one fails, is wrong or does not have it", async () => {
    const mirrors = [
      await startOddRegistry([on("manifest", failing(404))]),
      await startOddRegistry([on("manifest", body("{}"))]),
      await startOddRegistry(),
    ];
    const [a, b, c] = mirrors.map(({ host }) => host);
    const registry = askRegistry([a ?? "", b ?? "", c ?? ""]);
    expect((await registry.manifest(image.manifest.digest)).digest).toBe(image.manifest.digest);
    expect(mirrors.map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test("that nobody has is an error that names all who were asked", async () => {
    const [a, b] = [
      await startOddRegistry([on("manifest", failing(403))]),
      await startOddRegistry([on("manifest", failing(404))]),
    ];
    const error = await rejection(askRegistry([a.host, b.host]).manifest("latest"));
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(String(error)).toContain(a.host);
    expect(String(error)).toContain(b.host);
  });
});

describe("a tag", () => {
  test.for([
    ["does not say", headers({ "docker-content-digest": undefined })],
    ["says nonsense", headers({ "docker-content-digest": "nonsense" })],
    ["knows no HEAD", failing(405)],
  ] as const)("has no digest where the registry %s", async ([, oddity]) => {
    const server = await startOddRegistry([on("manifest", oddity)]);
    expect(await askRegistry([server.host]).headDigest("latest")).toBeUndefined();
  });

  test("whose manifest is not what the registry says it is, is refused", async () => {
    const lie = headers({ "docker-content-digest": digestOf(Buffer.from("another")) });
    const server = await startOddRegistry([on("manifest", lie)]);
    const error = await rejection(askRegistry([server.host]).manifest("latest"));
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH" });
  });
});

describe("a login", () => {
  test("is sent when it is asked for, and not before", async () => {
    const server = await startOddRegistry([basicNeeded(login)]);
    await askRegistry([server.host], { credentials }).manifest("latest");
    const sent = server.requests.map((request) => request.headers.authorization !== undefined);
    expect(sent).toEqual([false, true]);
  });

  test("gets one token for many requests, and goes to the token server alone", async () => {
    const tokens = await startTokenServer({ token: "t0ken", login });
    const server = await startOddRegistry([bearerNeeded({ token: "t0ken", realm: tokens.realm })]);
    const registry = askRegistry([server.host], { credentials });
    await Promise.all([registry.manifest("latest"), registry.headDigest("latest")]);
    await registry.document(config);
    expect(tokens.requests).toHaveLength(1);
    expect(tokens.requests[0]?.url).toContain("scope=repository%3Aodd%2Fimage%3Apull");
    const shown = server.requests.map((request) => request.headers.authorization ?? "nothing");
    expect(new Set(shown)).toEqual(new Set(["nothing", "Bearer t0ken"]));
  });

  test("that is wrong is refused, and does not show in the error", async () => {
    const server = await startOddRegistry([basicNeeded({ ...login, password: "another" })]);
    const error = await rejection(askRegistry([server.host], { credentials }).manifest("latest"));
    expect(error).toMatchObject({ code: "AUTH" });
    expect(JSON.stringify([String(error), error])).not.toContain(login.password);
  });

  test("stays where it belongs when blobs are elsewhere", async () => {
    const blobs = await startBlobHost(image);
    const server = await startOddRegistry([
      basicNeeded(login),
      on("config", redirect(blobs.location)),
    ]);
    const registry = askRegistry([server.host], { credentials });
    await registry.manifest("latest");
    expect((await registry.document(config)).length).toBe(image.config.size);
    expect(blobs.requests).toHaveLength(1);
    expect(blobs.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe("a redirect", () => {
  test("to a server that wants a login gets none, and no token for one", async () => {
    const tokens = await startTokenServer({ token: "t0ken" });
    const elsewhere = await startOddRegistry([
      bearerNeeded({ token: "t0ken", realm: tokens.realm }),
    ]);
    const to = redirect(`${elsewhere.url}/v2/odd/image/blobs/{digest}`);
    const server = await startOddRegistry([on("config", to)]);
    const registry = askRegistry([server.host], { credentials });
    expect(await rejection(registry.document(config))).toMatchObject({ code: "REGISTRY" });
    expect(tokens.requests).toEqual([]);
    expect(elsewhere.requests.map((request) => request.headers.authorization)).toEqual([undefined]);
  });

  test.for([
    ["to itself for ever", "/v2/odd/image/blobs/{digest}"],
    ["to another machine without TLS", "http://registry.example/{digest}"],
    ["to a file", "file:///etc/passwd"],
    ["to nowhere", "http://["],
  ])("%s is an error", async ([, to]) => {
    const server = await startOddRegistry([on("config", redirect(to ?? ""))]);
    const error = await rejection(askRegistry([server.host]).document(config));
    expect(error).toMatchObject({ code: "REGISTRY" });
    expect(server.requests.length).toBeLessThan(10);
  });
});
