import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { digestOf } from "../../src/oci/digest.js";
import { first, on, startOddRegistry } from "./odd-registry.js";
import { basicAuthorization, bearerNeeded, startTokenServer } from "./registry/authentication.js";
import { startBlobHost } from "./registry/blob-host.js";
import {
  contentGzip,
  corrupted,
  cut,
  endless,
  failing,
  ignoringRange,
  noHttp,
  paced,
  redirect,
  tooLong,
  tooMany,
  wrongContentRange,
} from "./registry/oddities.js";
import { servedImage, unknownDigest } from "./registry/registry-content.js";

const image = servedImage({ size: 100_000 });
const [, large] = image.layers;
if (!large) throw new Error("no layer");

/** The address of the large layer, or of something else of the image. */
function at(url: string, path = `blobs/${large?.digest}`): string {
  return `${url}/v2/${image.repository}/${path}`;
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe("without oddities", () => {
  test("everything is what its digest says", async () => {
    const { url } = await startOddRegistry([], { content: image });
    const tagged = await fetch(at(url, "manifests/latest"));
    expect(tagged.headers.get("docker-content-digest")).toBe(image.manifest.digest);
    expect(tagged.headers.get("content-type")).toBe(image.manifest.mediaType);
    expect(digestOf(await bytesOf(tagged))).toBe(image.manifest.digest);
    for (const { digest } of [image.config, ...image.layers]) {
      const blob = await fetch(at(url, `blobs/${digest}`));
      expect(digestOf(await bytesOf(blob))).toBe(digest);
    }
  });

  test("HEAD gives the headers of GET, and what is not there is 404", async () => {
    const registry = await startOddRegistry([], { content: image });
    const { headers } = await fetch(at(registry.url), { method: "HEAD" });
    expect(headers.get("content-length")).toBe(String(large.size));
    for (const path of ["manifests/none", `manifests/${unknownDigest}`, `blobs/${unknownDigest}`]) {
      expect((await fetch(at(registry.url, path))).status).toBe(404);
    }
    expect(registry.seen("layer").map(({ method }) => method)).toEqual(["HEAD", "GET"]);
    expect(registry.seen("manifest").map(({ reference }) => reference)).toContain("none");
  });

  test.for([
    ["bytes=0-", 206, 0, large.size],
    ["bytes=10-19", 206, 10, 20],
    [`bytes=${large.size - 1}-`, 206, large.size - 1, large.size],
    [`bytes=${large.size}-`, 416, 0, 0],
  ] as const)("Range %s", async ([range, status, from, to]) => {
    const { url } = await startOddRegistry([], { content: image });
    const whole = await bytesOf(await fetch(at(url)));
    const response = await fetch(at(url), { headers: { range } });
    expect(response.status).toBe(status);
    if (status === 416) return;
    expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/${large.size}`);
    expect(whole.subarray(from, to).equals(await bytesOf(response))).toBe(true);
  });
});

describe("bodies", () => {
  test.for(["reset", "close"] as const)("are cut by a %s, once if asked so", async (ending) => {
    const oddities = [on("layer", first(1, cut(5000, ending)))];
    const registry = await startOddRegistry(oddities, { content: image });
    await expect(fetch(at(registry.url)).then(bytesOf)).rejects.toThrow();
    expect(registry.requests.map(({ sent }) => sent)).toEqual([5000]);
    expect(await bytesOf(await fetch(at(registry.url)))).toHaveLength(large.size);
  });

  test("stall after what was sent, and end with the registry", async () => {
    const { url, stop } = await startOddRegistry([on("layer", cut(5000, "stall"))], {
      content: image,
    });
    const { body } = await fetch(at(url));
    const reader = body?.getReader();
    let got = 0;
    while (got < 5000) got += (await reader?.read())?.value?.length ?? Number.NaN;
    expect(got).toBe(5000);
    const next = reader?.read();
    const patience = sleep(50, "patience");
    expect(await Promise.race([next, patience])).toBe("patience");
    await Promise.all([stop(), expect(next).rejects.toThrow()]);
  });

  test("go on until the client leaves, or come in pieces", async () => {
    const registry = await startOddRegistry([on("layer", endless)], { content: image });
    const { body } = await fetch(at(registry.url));
    const reader = body?.getReader();
    let got = 0;
    while (got < 3 * large.size) got += (await reader?.read())?.value?.length ?? Number.NaN;
    await reader?.cancel();
    const slow = await startOddRegistry([on("layer", paced(40_000, 1))], { content: image });
    expect(await bytesOf(await fetch(at(slow.url)))).toHaveLength(large.size);
    expect(registry.requests[0]?.sent).toBeGreaterThanOrEqual(3 * large.size);
  });

  test("are wrong, too long, compressed, or of another range", async () => {
    const wrong = await startOddRegistry([on("layer", corrupted)], { content: image });
    const wrongBytes = await bytesOf(await fetch(at(wrong.url)));
    expect(wrongBytes).toHaveLength(large.size);
    expect(digestOf(wrongBytes)).not.toBe(large.digest);
    const long = await startOddRegistry([on("layer", tooLong)], { content: image });
    expect(await bytesOf(await fetch(at(long.url)))).toHaveLength(large.size + 100);
    const compressed = await startOddRegistry([on("layer", contentGzip)], { content: image });
    const response = await fetch(at(compressed.url));
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(digestOf(await bytesOf(response))).toBe(large.digest);
    const headers = { range: "bytes=10-" };
    const whole = await startOddRegistry([ignoringRange(image)], { content: image });
    expect((await fetch(at(whole.url), { headers })).status).toBe(200);
    const other = await startOddRegistry([wrongContentRange], { content: image });
    const part = await fetch(at(other.url), { headers });
    expect(part.headers.get("content-range")).toMatch(/^bytes 11-/);
  });
});

describe("answers", () => {
  test("say to come back later, so many times", async () => {
    const date = new Date("2030-01-01T00:00:00Z");
    const oddities = [on("manifest", first(1, tooMany(3)), first(2, failing(503)))];
    const registry = await startOddRegistry(oddities, { content: image });
    const ask = async () => await fetch(at(registry.url, "manifests/latest"));
    expect((await ask()).status).toBe(503);
    expect((await ask()).status).toBe(503);
    expect((await ask()).status).toBe(200);
    const other = await startOddRegistry([tooMany(date)], { content: image });
    const { status, headers } = await fetch(at(other.url));
    expect(status).toBe(429);
    expect(headers.get("retry-after")).toBe("Tue, 01 Jan 2030 00:00:00 GMT");
  });

  test("are no HTTP", async () => {
    const { url } = await startOddRegistry([noHttp("SSH-2.0-OpenSSH_9.2\r\n")]);
    await expect(fetch(`${url}/v2/`)).rejects.toThrow();
  });
});

describe("elsewhere", () => {
  test("blobs are with a host that takes the signed address, and nothing else", async () => {
    const host = await startBlobHost(image);
    const registry = await startOddRegistry([on("layer", redirect(host.location))], {
      content: image,
    });
    expect(digestOf(await bytesOf(await fetch(at(registry.url))))).toBe(large.digest);
    const address = host.location.replace("{digest}", large.digest);
    const headers = { authorization: "Bearer x" };
    expect((await fetch(address, { headers })).status).toBe(400);
    expect((await fetch(address.split("?")[0] ?? "")).status).toBe(403);
    expect(host.requests.map((request) => request.headers.authorization)).toEqual([
      undefined,
      "Bearer x",
      undefined,
    ]);
  });

  test("tokens are with their server, for those who may have them", async () => {
    const login = { user: "me", password: "secret" };
    const tokens = await startTokenServer({ token: "T", login, identityToken: "I" });
    const registry = await startOddRegistry([bearerNeeded({ token: "T", realm: tokens.realm })], {
      content: image,
    });
    const refused = await fetch(at(registry.url));
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer realm="${tokens.realm}",service="registry.test",scope="repository:${image.repository}:pull"`,
    );
    expect((await fetch(tokens.realm)).status).toBe(401);
    const authorization = basicAuthorization(login);
    const answer = await fetch(tokens.realm, { headers: { authorization } });
    expect(await answer.json()).toMatchObject({ token: "T" });
    const refresh = (token: string) =>
      fetch(tokens.realm, {
        method: "POST",
        body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: token }),
      });
    expect([(await refresh("I")).status, (await refresh("J")).status]).toEqual([200, 401]);
    const headers = { authorization: "Bearer T" };
    expect((await fetch(at(registry.url), { headers })).status).toBe(200);
  });
});
