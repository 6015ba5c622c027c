import { describe, expect, it } from "vitest";
import { parseIndex, parseManifest } from "../../src/oci/manifest.js";
import { json } from "../support/image-parts.js";
import { configType, indexType, layerType, manifestType } from "../support/oci-layout.js";
import { refusal } from "../support/refusal.js";

const digest = `sha256:${"a".repeat(64)}`;
const config = { mediaType: configType, digest, size: 7 };
const layer = { mediaType: layerType, digest, size: 9 };
const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: indexType,
  manifests: [{ mediaType: manifestType, digest, size: 3 }],
};

function parse(document: unknown) {
  return parseManifest(json(document), "the manifest");
}

function withLayer(change: object) {
  return { ...manifest, layers: [layer, { ...layer, ...change }] };
}

describe("parseManifest", () => {
  it("reads config and layers, in order, and ignores what it does not know", () => {
    const document = {
      ...manifest,
      artifactType: "application/vnd.example.unknown",
      layers: [
        layer,
        {
          ...layer,
          size: 10,
          urls: ["https://example.org/"],
          data: "e30=",
          artifactType: "application/vnd.example.unknown",
          annotations: { "org.example.unknown": "" },
        },
      ],
      subject: { mediaType: manifestType, digest, size: 1 },
      annotations: { a: "b", "org.example.unknown": 1 },
      "org.example.extension": [1, 2],
    };
    const parsed = parse(document);
    expect(parsed.config).toMatchObject(config);
    expect(parsed.layers.map(({ size }) => size)).toEqual([9, 10]);
  });

  it("reads one without a mediaType, as OCI's may be", () => {
    const { mediaType: _, ...rest } = manifest;
    expect(parse(rest).layers).toHaveLength(1);
    expect(parse({ ...rest, mediaType: null }).layers).toHaveLength(1);
  });

  it.each([
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  ])("takes layers of type %s", (mediaType) => {
    expect(parse(withLayer({ mediaType })).layers[1]?.mediaType).toBe(mediaType);
  });

  it("reads Docker's manifests", () => {
    const document = {
      ...manifest,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
    };
    expect(parse(document).layers).toHaveLength(1);
  });

  it("takes null for annotations and for a platform", () => {
    const parsed = parse(withLayer({ annotations: null, platform: null }));
    expect(parsed.layers[1]).toMatchObject({ annotations: {}, platform: undefined });
  });

  it("reads an image without layers", () => {
    expect(parse({ ...manifest, layers: [] }).layers).toEqual([]);
    expect(parse({ ...manifest, layers: null }).layers).toEqual([]);
  });

  it.each([
    { what: "a number for a digest", document: withLayer({ digest: 5 }), place: "layers.1.digest" },
    { what: "no digest", document: withLayer({ digest: undefined }), place: "layers.1.digest" },
    { what: "an odd digest", document: withLayer({ digest: "x:y" }), place: "layers.1.digest" },
    {
      what: "a path for a digest",
      document: withLayer({ digest: "sha256:../x" }),
      place: "layers.1.digest",
    },
    {
      what: "an unknown algorithm",
      document: withLayer({ digest: "md5:aa" }),
      place: "layers.1.digest",
    },
    { what: "no size", document: withLayer({ size: undefined }), place: "layers.1.size" },
    { what: "a negative size", document: withLayer({ size: -1 }), place: "layers.1.size" },
    { what: "half a byte", document: withLayer({ size: 1.5 }), place: "layers.1.size" },
    { what: "an inexact size", document: withLayer({ size: 2 ** 53 }), place: "layers.1.size" },
    { what: "a size as text", document: withLayer({ size: "9" }), place: "layers.1.size" },
    {
      what: "null for a media type",
      document: withLayer({ mediaType: null }),
      place: "layers.1.mediaType",
    },
    {
      what: "a number for an annotation",
      document: withLayer({ annotations: { a: 1 } }),
      place: "layers.1.annotations.a",
    },
    { what: "null for a layer", document: { ...manifest, layers: [null] }, place: "layers.0" },
    { what: "an object for layers", document: { ...manifest, layers: {} }, place: "layers" },
    { what: "no layers", document: { ...manifest, layers: undefined }, place: "layers" },
    { what: "no config", document: { ...manifest, config: undefined }, place: "config" },
    { what: "null for a config", document: { ...manifest, config: null }, place: "config" },
    {
      what: "no schemaVersion",
      document: { ...manifest, schemaVersion: undefined },
      place: "schemaVersion",
    },
    {
      what: "text for a schemaVersion",
      document: { ...manifest, schemaVersion: "2" },
      place: "schemaVersion",
    },
    { what: "an array", document: [manifest], place: "schemaVersion" },
    { what: "null", document: null, place: "the document" },
  ])("refuses $what and names $place", ({ document, place }) => {
    const error = refusal(() => parse(document));
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain(`the manifest: ${place}: `);
  });

  it.each([
    { what: "nothing", bytes: Buffer.alloc(0) },
    { what: "half a document", bytes: json(manifest).subarray(0, 40) },
    { what: "a document and more", bytes: Buffer.concat([json(manifest), Buffer.from("x")]) },
    { what: "no UTF-8", bytes: Buffer.from(`{"a":"\xff"}`, "latin1") },
    { what: "gzip", bytes: Buffer.from("1f8b08", "hex") },
  ])("refuses $what as no JSON", ({ bytes }) => {
    expect(refusal(() => parseManifest(bytes, "the manifest"))).toMatchObject({
      code: "IMAGE_INVALID",
      message: "the manifest is not JSON",
    });
  });

  it.each([0, 3, 2.5])("refuses documents of schemaVersion %d", (schemaVersion) => {
    const code = "IMAGE_UNSUPPORTED";
    expect(refusal(() => parse({ ...manifest, schemaVersion }))).toMatchObject({ code });
    expect(refusal(() => parseIndex(json({ ...index, schemaVersion }), "the index"))).toMatchObject(
      { code },
    );
  });

  it.each([
    { schemaVersion: 1, name: "x", tag: "y", fsLayers: [] },
    { schemaVersion: 1, mediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws" },
    { schemaVersion: 2, mediaType: "application/vnd.docker.distribution.manifest.v1+json" },
  ])("refuses a manifest of schema 1 and says what to do", (document) => {
    expect(refusal(() => parse(document))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining("schema 1"),
      hint: expect.stringContaining("again"),
    });
  });

  it.each([
    { what: "both layers and manifests", document: { ...manifest, manifests: index.manifests } },
    {
      what: "both layers and an empty list of manifests",
      document: { ...manifest, manifests: [] },
    },
    { what: "an index", document: index },
    {
      what: "an index's type and a manifest's content",
      document: { ...manifest, mediaType: indexType },
    },
    { what: "a type that is none", document: { ...manifest, mediaType: "text/plain" } },
  ])("refuses $what, for another reader could take it for another image", ({ document }) => {
    expect(refusal(() => parse(document))).toMatchObject({
      code: "IMAGE_INVALID",
      message: "the manifest is not the manifest it is said to be",
    });
  });

  it.each([
    "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
    "application/vnd.oci.image.layer.v1.tar+encrypted",
  ])("refuses the encrypted layer %s and says how to decrypt it", (mediaType) => {
    expect(refusal(() => parse(withLayer({ mediaType })))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining("encrypted"),
      hint: expect.stringContaining("--decryption-key"),
    });
  });

  it.each([
    "",
    "application/vnd.oci.image.layer.v1.tar+xz",
    "application/vnd.oci.image.layer.v1.squashfs",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.in-toto+json",
    "application/octet-stream",
    "constructor",
    "__proto__",
  ])("refuses the unknown layer type %j by name", (mediaType) => {
    expect(refusal(() => parse(withLayer({ mediaType })))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining(`unknown layer media type ${mediaType}`),
    });
  });

  it.each([
    "application/vnd.oci.empty.v1+json",
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.unknown.config.v1+json",
  ])("refuses an artifact with a config of type %s", (mediaType) => {
    const document = { ...manifest, config: { ...config, mediaType } };
    expect(refusal(() => parse(document))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining(mediaType),
    });
  });

  it("escapes what a hostile media type would do to a terminal", () => {
    const { message } = refusal(() => parse(withLayer({ mediaType: "x\x1b]0;y\x07\n" })));
    expect(message).toContain("x\\x1b]0;y\\x07\\x0a");
  });

  it("stays short however long a hostile value is", () => {
    for (const change of [
      { mediaType: "m".repeat(1e6) },
      { digest: "d".repeat(1e6) },
      { size: "9".repeat(1e6) },
    ]) {
      expect(refusal(() => parse(withLayer(change))).message.length).toBeLessThan(10_000);
    }
  });
});

describe("parseIndex", () => {
  const parseIt = (document: unknown) => parseIndex(json(document), "the index");

  it("passes over entries of types that mean nothing, whatever else is in them", () => {
    const document = {
      ...index,
      manifests: [
        { mediaType: "text/plain", digest: "blake3:0", size: null },
        { ...index.manifests[0], platform: { os: "linux", architecture: "arm64", variant: "v8" } },
      ],
    };
    const { manifests } = parseIt(document);
    expect(manifests.map((entry) => entry.mediaType)).toEqual([manifestType]);
    expect(manifests[0]?.platform).toEqual({ os: "linux", architecture: "arm64", variant: "v8" });
  });

  it("ignores what it does not know, and what it does not need", () => {
    const entry = {
      ...index.manifests[0],
      platform: {
        ...{ os: "linux", architecture: "amd64", features: ["sse4"] },
        ...{ "os.version": "99", "os.features": ["win32k"] },
      },
      annotations: { "org.example.unknown": "" },
    };
    const document = {
      ...index,
      manifests: [entry],
      artifactType: "application/vnd.example.unknown",
      subject: { mediaType: manifestType, digest, size: 1 },
      annotations: { "org.example.unknown": 1 },
      "org.example.extension": [1, 2],
    };
    const { manifests } = parseIt(document);
    expect(manifests[0]?.platform).toEqual({ os: "linux", architecture: "amd64" });
  });

  it("reads Docker's manifest lists, and an index without a type", () => {
    const mediaType = "application/vnd.docker.distribution.manifest.list.v2+json";
    expect(parseIt({ ...index, mediaType }).manifests).toHaveLength(1);
    expect(parseIt({ ...index, mediaType: undefined }).manifests).toHaveLength(1);
  });

  it.each([
    { what: "a manifest", document: manifest },
    { what: "layers beside the manifests", document: { ...index, layers: [] } },
    { what: "a config beside the manifests", document: { ...index, config } },
    { what: "a manifest's type", document: { ...index, mediaType: manifestType } },
  ])("refuses $what", ({ document }) => {
    expect(refusal(() => parseIt(document))).toMatchObject({
      code: "IMAGE_INVALID",
      message: "the index is not the index it is said to be",
    });
  });

  it.each([
    { what: "no manifests", document: { schemaVersion: 2 }, place: "manifests" },
    { what: "an object", document: { schemaVersion: 2, manifests: {} }, place: "manifests" },
    {
      what: "a platform without an architecture",
      document: { ...index, manifests: [{ ...index.manifests[0], platform: { os: "linux" } }] },
      place: "manifests.0.platform.architecture",
    },
  ])("refuses $what and names $place", ({ document, place }) => {
    const error = refusal(() => parseIt(document));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`the index: ${place}: `);
  });
});
