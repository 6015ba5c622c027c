import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { prepareCache } from "../../src/cache/place/location.js";
import { inspectImage } from "../../src/stage/inspect.js";
import type { StageOptions } from "../../src/stage/request.js";
import { stageRootfs } from "../../src/stage.js";
import { locksIn } from "../support/cache.js";
import { json } from "../support/image-parts.js";
import { type Oddity, on, onDigest, startOddRegistry } from "../support/odd-registry.js";
import { rejection } from "../support/refusal.js";
import { corrupted, cut, failing, headers } from "../support/registry/oddities.js";
import { retagged, servedImage } from "../support/registry/registry-content.js";
import { scratchDirectory } from "../support/scratch-directory.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

const image = servedImage();

/** What the registry was asked, as `METHOD subject`. */
function asked(server: Awaited<ReturnType<typeof startOddRegistry>>): string[] {
  return server.seen().map(({ method, subject }) => `${method} ${subject}`);
}

async function setUp(oddities: readonly Oddity[] = []) {
  const server = await startOddRegistry(oddities);
  const cacheDir = `${scratchDirectory()}/cache`;
  const stage = async (tagOrDigest?: string, options: StageOptions = {}) =>
    await stageRootfs(server.reference(tagOrDigest), { cacheDir, ...options });
  return { server, cacheDir, stage };
}

const digest = image.manifest.digest;

describe("an image of a registry", () => {
  test("is staged: each of its blobs is fetched once, and nothing of them stays", async () => {
    const { server, cacheDir, stage } = await setUp();
    const result = await stage();
    expect(result).toMatchObject({ hit: false, manifestDigest: digest });
    expect(result.bytes.fetched).toBe(image.layers.reduce((sum, { size }) => sum + size, 0));
    expect(readFileSync(`${result.rootfs}/etc/base`, "utf8")).toBe("the base\n");
    expect(asked(server).sort()).toEqual(
      ["HEAD manifest", "GET manifest", "GET config", "GET layer", "GET layer"].sort(),
    );
    for (const name of ["blobs", "locks", "tmp"]) {
      expect(locksIn(`${cacheDir}/v1/${name}`)).toEqual([]);
    }
  });

  test("that is there is asked for by its tag alone, and not at all by its digest", async () => {
    const { server, stage } = await setUp();
    const { rootfs } = await stage();
    const before = asked(server).length;
    expect(await stage()).toMatchObject({ hit: true, rootfs });
    expect(asked(server).slice(before)).toEqual(["HEAD manifest"]);
    for (const [reference, options] of [
      [digest, {}],
      ["latest", { offline: true }],
      ["latest", { maxStaleness: 60 }],
    ] as const) {
      expect(await stage(reference, options)).toMatchObject({ hit: true, rootfs });
    }
    expect(asked(server)).toHaveLength(before + 1);
    expect(await stage("latest", { maxStaleness: 0 })).toMatchObject({ hit: true });
    expect(asked(server)).toHaveLength(before + 2);
  });

  test("whose tag was looked up in the future is looked up again", async () => {
    const { server, cacheDir, stage } = await setUp();
    await stage();
    const index = `${cacheDir}/v1/index`;
    const [tag = ""] = readdirSync(index).filter((name) => name.startsWith("tag-"));
    const record = JSON.parse(readFileSync(`${index}/${tag}`, "utf8"));
    const future = { ...record, checkedAt: Date.now() + 3_600_000 };
    writeFileSync(`${index}/${tag}`, JSON.stringify(future));
    const before = asked(server).length;
    await stage("latest", { maxStaleness: 3600 });
    expect(asked(server).slice(before)).toEqual(["HEAD manifest"]);
  });

  test("without --offline's leave to ask is not found", async () => {
    const { server, stage } = await setUp();
    for (const reference of ["latest", digest]) {
      const error = await rejection(stage(reference, { offline: true }));
      expect(error).toMatchObject({ code: "NOT_FOUND" });
    }
    expect(asked(server)).toEqual([]);
  });

  test("of which a layer is there fetches the others", async () => {
    const { server, cacheDir, stage } = await setUp();
    await stage();
    const other = servedImage({ mark: "another" });
    const second = await startOddRegistry([], { content: other });
    const result = await stageRootfs(second.reference(), { cacheDir });
    expect(result.layers.map(({ reused }) => reused)).toEqual([true, false]);
    expect(asked(second).filter((request) => request === "GET layer")).toHaveLength(1);
    expect(asked(server)).toHaveLength(5);
  });

  test("is staged where the registry does not say a tag's digest", async () => {
    const { server, stage } = await setUp([headers({ "docker-content-digest": undefined })]);
    expect(await stage()).toMatchObject({ manifestDigest: digest });
    expect(asked(server)[0]).toBe("HEAD manifest");
  });

  test("goes on from what came of a layer before its fetching broke off", async () => {
    let isBroken = true;
    const [, large] = image.layers;
    const breaking: Oddity = (answer, request) => {
      return isBroken ? cut(100_000, "reset")(answer, request) : answer;
    };
    const gone: Oddity = (answer, request) => {
      const isLater = isBroken && request.headers.range !== undefined;
      return isLater ? failing(404)(answer, request) : answer;
    };
    const { server, cacheDir, stage } = await setUp([
      onDigest(large?.digest ?? "", breaking, gone),
    ]);
    expect(await rejection(stage())).toMatchObject({ code: "NOT_FOUND" });
    const [blob = ""] = readdirSync(`${cacheDir}/v1/blobs`);
    expect(blob).toBe(large?.digest.replace(":", "-"));
    isBroken = false;
    const before = asked(server).length;
    const result = await stage();
    expect(result.bytes.fetched).toBeLessThan(large?.size ?? 0);
    expect(
      server
        .seen()
        .slice(before)
        .some(({ headers: { range } }) => range !== undefined),
    ).toBe(true);
    expect(existsSync(`${cacheDir}/v1/blobs/${blob}`)).toBe(false);
  });

  test("whose earlier beginning is damaged is fetched anew", async () => {
    const { cacheDir, stage } = await setUp();
    const [, large] = image.layers;
    const blob = `${cacheDir}/v1/blobs/${large?.digest.replace(":", "-")}`;
    prepareCache({ cacheDirectory: cacheDir, uid: process.geteuid?.() ?? 0 });
    writeFileSync(blob, Buffer.alloc(1000, "torn"));
    expect(await stage()).toMatchObject({ hit: false });
    expect(existsSync(blob)).toBe(false);
  });

  const inTheWay: readonly (readonly [string, (path: string) => unknown])[] = [
    ["a fifo", (path) => execFileSync("mkfifo", [path])],
    ["a directory", (path) => mkdirSync(`${path}/d`, { recursive: true })],
    ["a link", (path) => symlinkSync("/etc/hostname", path)],
  ];
  test.for(inTheWay)("is staged where %s has the name of a blob", async ([, make]) => {
    const { cacheDir, stage } = await setUp();
    prepareCache({ cacheDirectory: cacheDir, uid: process.geteuid?.() ?? 0 });
    make(`${cacheDir}/v1/blobs/${image.layers[1]?.digest.replace(":", "-")}`);
    expect(await stage()).toMatchObject({ hit: false });
    expect(readdirSync(`${cacheDir}/v1/blobs`)).toEqual([]);
  });

  test("with a layer that is not what it should be is refused, and nothing of that stays", async () => {
    const { cacheDir, stage } = await setUp([on("layer", corrupted)]);
    expect(await rejection(stage())).toMatchObject({ code: "DIGEST_MISMATCH" });
    for (const name of ["blobs", "locks", "tmp", "rootfs", "layers"]) {
      expect(locksIn(`${cacheDir}/v1/${name}`)).toEqual([]);
    }
  });

  test.for([
    ["with too many layers", { limits: { layers: 1 } }, "LIMIT_LAYERS"],
    ["for another platform", { platform: "linux/s390x" }, "NOT_FOUND"],
  ] as const)("%s is refused before any layer is fetched", async ([, options, code]) => {
    const { server, stage } = await setUp();
    expect(await rejection(stage("latest", options))).toMatchObject({ code });
    expect(asked(server)).not.toContain("GET layer");
  });

  test("with a layer that is said to be of a petabyte is refused", async () => {
    const [small, large] = image.layers;
    const manifest = json({
      schemaVersion: 2,
      mediaType: image.manifest.mediaType,
      config: image.config,
      layers: [small, { ...large, size: 10 ** 15 }],
    });
    const content = retagged(image, { bytes: manifest, mediaType: image.manifest.mediaType });
    const server = await startOddRegistry([], { content });
    const cacheDir = `${scratchDirectory()}/cache`;
    const error = await rejection(stageRootfs(server.reference(), { cacheDir }));
    expect(error).toMatchObject({
      code: "NO_SPACE",
      message: expect.stringMatching(/PiB more /),
    });
    expect(asked(server)).not.toContain("GET layer");
  });

  test("is inspected without its layers", async () => {
    const { server, cacheDir, stage } = await setUp();
    const before = await inspectImage(server.reference(), { cacheDir });
    expect(before).toMatchObject({ manifestDigest: digest, cached: false });
    expect(before.layers.map(({ cached }) => cached)).toEqual([false, false]);
    expect(asked(server)).not.toContain("GET layer");
    const { key } = await stage();
    const after = await inspectImage(server.reference(), { cacheDir });
    expect(after).toMatchObject({ key, cached: true, imageId: before.imageId });
    expect(after.layers.map(({ cached }) => cached)).toEqual([true, true]);
  });

  test("with layers from elsewhere is refused, and staged when that is allowed", async () => {
    const elsewhere = await startOddRegistry();
    const path = (of: string) => `${elsewhere.url}/v2/odd/image/blobs/${of}`;
    const foreign = servedImage({ layerDetails: (of) => ({ urls: [path(of)] }) });
    const server = await startOddRegistry([on("layer", failing(404))], { content: foreign });
    const cacheDir = `${scratchDirectory()}/cache`;
    const stage = (registry: StageOptions["registry"]) =>
      stageRootfs(server.reference(), { cacheDir, registry });
    expect(await rejection(stage({}))).toMatchObject({ code: "IMAGE_UNSUPPORTED" });
    expect(await stage({ allowForeignLayers: true })).toMatchObject({ hit: false });
    expect(asked(elsewhere)).toEqual(["GET layer", "GET layer"]);
  });
});
