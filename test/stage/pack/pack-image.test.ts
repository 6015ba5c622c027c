import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { describe, expect, test, vi } from "vitest";
import { openTarFile } from "../../../src/oci/bundle/tar-file.js";
import { digestOf } from "../../../src/oci/digest.js";
import { listCache } from "../../../src/stage/manage/list-cache.js";
import { packImage } from "../../../src/stage/pack/pack-image.js";
import { packName } from "../../../src/stage/pack/pack-name.js";
import { stageFromPack } from "../../../src/stage/pack/stage-pack.js";
import { checkRequest } from "../../../src/stage/request.js";
import { stageRootfs } from "../../../src/stage.js";
import { writeArchive, writeFiles } from "../../support/file-set.js";
import { json } from "../../support/image-parts.js";
import { directory, file, packLayer } from "../../support/layers.js";
import { indexType, LayoutBuilder, named, platformed } from "../../support/oci-layout.js";
import { onDigest, startOddRegistry } from "../../support/odd-registry.js";
import { rejection } from "../../support/refusal.js";
import { corrupted, cut } from "../../support/registry/oddities.js";
import {
  foreignArchitecture,
  hostArchitecture,
  type RegistryContent,
  retagged,
  servedImage,
} from "../../support/registry/registry-content.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const image = servedImage();

/** A place for packs, one cache here and one there. */
function places() {
  const scratch = scratchDirectory();
  return { packs: `${scratch}/packs`, here: `${scratch}/here`, there: `${scratch}/there` };
}

const layers = [
  [directory("etc"), file("etc/base", "the base\n")],
  [directory("etc"), file("etc/top", "the top\n")],
];

/** The files in an archive, by name. */
async function filesIn(path: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const entries = extract();
  entries.end(readFileSync(path));
  for await (const entry of entries) files.set(entry.header.name, await buffer(entry));
  return files;
}

/** The digests of an archive's blobs, each of which is called by its own. */
async function blobsIn(path: string): Promise<readonly string[]> {
  const files = [...(await filesIn(path))].filter(([name]) => name.startsWith("blobs/"));
  return files.map(([name, content]) => {
    const digest = digestOf(content);
    expect(name).toBe(`blobs/sha256/${digest.slice("sha256:".length)}`);
    return digest;
  });
}

/** The content with an index for this machine and another under its tag. */
function withIndex(content: RegistryContent & { manifest: { digest: string; size: number } }) {
  const { manifest } = content;
  const manifests = [
    { ...manifest, ...platformed(`linux/${hostArchitecture}`) },
    {
      ...manifest,
      digest: `sha256:${"0".repeat(64)}`,
      ...platformed(`linux/${foreignArchitecture}`),
    },
  ];
  const bytes = json({ schemaVersion: 2, mediaType: indexType, manifests });
  return retagged(content, { bytes, mediaType: indexType });
}

describe("the pack of a registry's image", () => {
  test("holds manifest, config and layers as stored, each fetched once", async () => {
    const server = await startOddRegistry();
    const { packs, here } = places();
    const packed = await packImage(server.reference(), { directory: packs, cacheDir: here });
    expect(packed).toMatchObject({ reused: false });
    expect(packed.fetched).toBe(image.layers.reduce((sum, { size }) => sum + size, 0));
    expect(readdirSync(packs)).toHaveLength(1);
    const blobs = [image.manifest, image.config, ...image.layers].map(({ digest }) => digest);
    expect([...(await blobsIn(packed.path))].sort()).toEqual(blobs.sort());
    expect([...(await filesIn(packed.path)).keys()].slice(0, 3)).toEqual([
      "oci-layout",
      "stage-rootfs.json",
      "index.json",
    ]);
    expect(server.seen("layer")).toHaveLength(image.layers.length);
    for (const name of ["blobs", "tmp"]) {
      expect(readdirSync(`${here}/v1/${name}`)).toEqual([]);
    }
  });

  test("is staged under the image's own name, without a request", async () => {
    const server = await startOddRegistry();
    const { packs, here, there } = places();
    const name = server.reference();
    const usual = await stageRootfs(name, { cacheDir: here });
    await packImage(name, { directory: packs, cacheDir: here });
    const before = server.seen().length;
    const staged = await stageFromPack(name, { from: packs, cacheDir: there });
    expect(staged).toMatchObject({
      hit: false,
      key: usual.key,
      manifestDigest: image.manifest.digest,
      reference: name,
      layers: usual.layers,
    });
    expect(readFileSync(`${staged.rootfs}/etc/base`, "utf8")).toBe("the base\n");
    expect(staged.bytes.fetched).toBe(0);
    const later = await stageRootfs(name, { cacheDir: there, offline: true });
    expect(later).toMatchObject({ hit: true, rootfs: staged.rootfs });
    expect(server.seen()).toHaveLength(before);
    const { entries } = await listCache({ cacheDir: there });
    expect(entries[0]?.source).toMatchObject({ reference: name, kind: "registry" });
    expect(await stageFromPack(name, { from: packs, cacheDir: there })).toMatchObject({
      hit: true,
    });
    // A registry that has the same under the tag is asked once, and nothing is fetched.
    expect(await stageRootfs(name, { cacheDir: there })).toMatchObject({ hit: true });
    expect(server.seen()).toHaveLength(before + 1);
  });

  test("is of one platform, and is reached by the digest of the index too", async () => {
    const content = withIndex(image);
    const server = await startOddRegistry([], { content });
    const { packs, here, there } = places();
    const byDigest = server.reference(content.manifest.digest);
    for (const name of [server.reference(), byDigest]) {
      const { path } = await packImage(name, { directory: packs, cacheDir: here });
      expect(await blobsIn(path)).toHaveLength(2 + image.layers.length);
    }
    const before = server.seen().length;
    const staged = await stageFromPack(byDigest, { from: packs, cacheDir: there });
    expect(staged.manifestDigest).toBe(image.manifest.digest);
    expect(await stageRootfs(byDigest, { cacheDir: there })).toMatchObject({ hit: true });
    const tagged = await stageFromPack(server.reference(), { from: packs, cacheDir: there });
    expect(tagged).toMatchObject({ hit: true, key: staged.key });
    expect(server.seen()).toHaveLength(before);
  });

  const strangers = [
    ["that anybody can write to", (path: string) => chmodSync(path, 0o666)],
    [
      "that is a link",
      (path: string) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
    ],
    ...(process.getuid?.() === 0
      ? ([["of somebody else's", (path: string) => chownSync(path, 23456, 23456)]] as const)
      : []),
  ] as const;

  test.for(strangers)("takes the place of one %s", async ([, prepare]) => {
    const server = await startOddRegistry();
    const { packs, here } = places();
    const options = { directory: packs, cacheDir: here };
    const { path } = await packImage(server.reference(), options);
    prepare(path);
    expect(await packImage(server.reference(), options)).toMatchObject({ path, reused: false });
    const stat = lstatSync(path);
    expect([stat.isFile(), stat.uid, stat.mode & 0o002]).toEqual([true, process.getuid?.(), 0]);
  });

  test("stays as it is while the tag does, and follows it", async () => {
    const { packs, here, there } = places();
    const other = servedImage({ mark: "other" });
    const servers = await Promise.all(
      [image, other].map((content) => startOddRegistry([], { content })),
    );
    const [first, second] = servers;
    if (!first || !second) throw new Error("there are two");
    const options = { directory: packs, cacheDir: here };
    const { path } = await packImage(first.reference(), options);
    expect(await packImage(first.reference(), options)).toMatchObject({ path, reused: true });
    expect(first.seen("layer")).toHaveLength(2);
    // What another registry says is another pack.
    const elsewhere = await packImage(second.reference(), options);
    expect(elsewhere.path).not.toBe(path);
    writeFileSync(path, readFileSync(elsewhere.path));
    const error = await rejection(
      stageFromPack(first.reference(), { from: packs, cacheDir: there }),
    );
    expect(error).toMatchObject({ code: "NOT_FOUND" });
    expect(error.message).toContain(second.host);
    expect(await packImage(first.reference(), options)).toMatchObject({ path, reused: false });
  });

  test("is made anew for what a tag has become", async () => {
    const { packs, here, there } = places();
    const other = servedImage({ mark: "other" });
    const tags = { latest: image.manifest };
    const files = new Map([...image.files, ...other.files]);
    const server = await startOddRegistry([], { content: { ...image, files, tags } });
    const options = { directory: packs, cacheDir: here };
    await packImage(server.reference(), options);
    await stageFromPack(server.reference(), { from: packs, cacheDir: there });
    tags.latest = other.manifest;
    expect(await packImage(server.reference(), options)).toMatchObject({ reused: false });
    await stageFromPack(server.reference(), { from: packs, cacheDir: there });
    const { manifestDigest } = await stageRootfs(server.reference(), {
      cacheDir: there,
      offline: true,
    });
    expect(manifestDigest).toBe(other.manifest.digest);
  });

  test("is not written of what is damaged, and what was there stays", async () => {
    const [, layer] = image.layers;
    if (!layer) throw new Error("there are two layers");
    const server = await startOddRegistry([onDigest(layer.digest, corrupted)]);
    const { packs, here } = places();
    const error = await rejection(
      packImage(server.reference(), { directory: packs, cacheDir: here }),
    );
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(readdirSync(packs)).toEqual([]);
  });

  test("goes on where a fetching was stopped, and leaves no half pack", async () => {
    const [, layer] = image.layers;
    if (!layer) throw new Error("there are two layers");
    let stalls = true;
    const server = await startOddRegistry([
      onDigest(layer.digest, (answer, request) =>
        stalls ? cut(100_000, "stall")(answer, request) : answer,
      ),
    ]);
    const { packs, here } = places();
    const options = { directory: packs, cacheDir: here };
    const stop = new AbortController();
    const packing = packImage(server.reference(), { ...options, signal: stop.signal });
    await vi.waitFor(() => {
      const [name = ""] = readdirSync(`${here}/v1/blobs`).filter((n) =>
        n.includes(layer.digest.slice(7)),
      );
      expect(readFileSync(`${here}/v1/blobs/${name}`).length).toBe(100_000);
    });
    stop.abort(new Error("enough"));
    await expect(packing).rejects.toThrow("enough");
    expect(readdirSync(packs)).toEqual([]);
    stalls = false;
    const { fetched } = await packImage(server.reference(), options);
    expect(fetched).toBeLessThanOrEqual(image.layers.reduce((sum, l) => sum + l.size, 0) - 100_000);
  });
});

describe("the pack of an archive or a layout", () => {
  test.each([
    ["a docker-archive", {}],
    ["one with compressed layers", { stored: layers.map((l) => gzipSync(packLayer(l))) }],
  ])("%s is staged as the file that it was made of", async (_, form) => {
    const path = archiveFile(layers, form);
    const { packs, here, there } = places();
    const usual = await stageRootfs(path, { cacheDir: here });
    await packImage(path, { directory: packs, cacheDir: here });
    const staged = await stageFromPack(path, { from: packs, cacheDir: there });
    expect(staged).toMatchObject({
      hit: false,
      key: usual.key,
      manifestDigest: null,
      reference: path,
    });
    expect(staged.layers.map(({ digest }) => digest)).toEqual([null, null]);
    expect(await stageRootfs(path, { cacheDir: there })).toMatchObject({
      hit: true,
      key: usual.key,
    });
  });

  test("with a manifest keeps it", async () => {
    const builder = new LayoutBuilder();
    const descriptor = builder.image({ layers: layers.map((l) => packLayer(l)) });
    const path = writeFiles(
      `${scratchDirectory()}/layout`,
      builder.finish({ ...descriptor, ...named("a:1") }),
    );
    const { packs, here, there } = places();
    const name = `oci:${path}:a:1`;
    await packImage(name, { directory: packs, cacheDir: here });
    expect(await packImage(name, { directory: packs, cacheDir: here })).toMatchObject({
      reused: true,
    });
    const staged = await stageFromPack(name, { from: packs, cacheDir: there });
    expect(staged.manifestDigest).toBe(descriptor.digest);
    expect(await stageRootfs(name, { cacheDir: there })).toMatchObject({ hit: true });
  });

  test("is not for what the file has become since", async () => {
    const path = archiveFile(layers);
    const { packs, here, there } = places();
    await packImage(path, { directory: packs, cacheDir: here });
    appendFileSync(path, Buffer.alloc(512));
    const options = { from: packs, cacheDir: there };
    expect(await rejection(stageFromPack(path, options))).toMatchObject({ code: "NOT_FOUND" });
    expect(await packImage(path, { directory: packs, cacheDir: here })).toMatchObject({
      reused: false,
    });
    expect(await stageFromPack(path, options)).toMatchObject({ hit: false });
  });

  test.each([
    ["plain", (tar: Buffer) => tar],
    ["compressed", (tar: Buffer) => gzipSync(tar)],
  ])("is not written where a %s layer is not what the config says", async (_, store) => {
    const [base = [], top = []] = layers;
    const wrong = [...top.slice(0, 1), file("etc/top", "the tip\n")];
    const path = archiveFile(layers, { stored: [base, wrong].map((l) => store(packLayer(l))) });
    const { packs, here } = places();
    const error = await rejection(packImage(path, { directory: packs, cacheDir: here }));
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(readdirSync(packs)).toEqual([]);
  });

  test("can't be made of what has no name", async () => {
    const { packs, here } = places();
    const error = await rejection(packImage("-", { directory: packs, cacheDir: here }));
    expect(error).toMatchObject({ code: "USAGE" });
    expect(existsSync(packs)).toBe(false);
  });
});

describe("a pack that is not what it was", () => {
  async function packed() {
    const server = await startOddRegistry();
    const { packs, here, there } = places();
    const { path } = await packImage(server.reference(), { directory: packs, cacheDir: here });
    const stage = async () =>
      await stageFromPack(server.reference(), { from: packs, cacheDir: there });
    return { path, stage, there };
  }

  test.each([image.manifest, image.config, ...image.layers].map(({ digest }) => [digest]))(
    "is refused for one byte of %s",
    async (digest) => {
      const { path, stage, there } = await packed();
      const span = openTarFile(path).find(`blobs/sha256/${digest.slice(7)}`);
      const bytes = readFileSync(path);
      const at = (span?.offset ?? 0) + Math.floor((span?.size ?? 0) / 2);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect((await rejection(stage())).exitStatus).toBe(65);
      expect(readdirSync(`${there}/v1/rootfs`)).toEqual([]);
    },
  );

  test.each([1, 600, 100_000])("is refused without its last %i bytes of content", async (count) => {
    const { path, stage } = await packed();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 1024 - 512 - count));
    expect((await rejection(stage())).exitStatus).toBe(65);
  });

  test("can't make the cache take its image for another digest's", async () => {
    const server = await startOddRegistry();
    const { packs, here, there } = places();
    const options = { from: packs, cacheDir: there };
    const wanted = servedImage({ mark: "wanted" });
    const name = server.reference(wanted.manifest.digest);
    const { path } = await packImage(server.reference(), { directory: packs, cacheDir: here });
    const files = await filesIn(path);
    const note = JSON.parse(files.get("stage-rootfs.json")?.toString() ?? "");
    const reference = note.reference.replace(":latest", `@${wanted.manifest.digest}`);
    for (const digest of [note.digest, null]) {
      files.set("stage-rootfs.json", json({ ...note, reference, digest }));
      await writeArchive(`${packs}/${packName(checkRequest(name, options))}`, files);
      expect((await rejection(stageFromPack(name, options))).exitStatus).toBe(65);
    }
  });
});
