import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readSpan } from "../../../src/host/span.js";
import { formatPlatform, hostPlatform, parsePlatform } from "../../../src/oci/platform.js";
import { readOciLayout } from "../../../src/oci/sources/oci-layout.js";
import type { FileSet } from "../../support/file-set.js";
import { bundleOf } from "../../support/file-set-bundle.js";
import { configDocument, json, layerBytes } from "../../support/image-parts.js";
import {
  blobName,
  configType,
  type DescriptorJson,
  indexType,
  LayoutBuilder,
  layerType,
  layoutOf,
  manifestType,
  named,
  platformed,
} from "../../support/oci-layout.js";
import { refusal } from "../../support/refusal.js";

const base = layerBytes("base");
const top = layerBytes("top");

function open(files: FileSet, choice?: string, platform?: string) {
  return readOciLayout(bundleOf(files), {
    choice,
    platform: platform === undefined ? undefined : parsePlatform(platform),
  });
}

/** A layout with an image per platform, and the digests of their manifests. */
function multiPlatform(...platforms: readonly string[]) {
  const layout = new LayoutBuilder();
  const manifests = platforms.map((platform) => {
    const [os = "", architecture = "", variant] = platform.split("/");
    const layers = [layerBytes(platform)];
    const image = layout.image({
      layers,
      os,
      architecture,
      ...(variant === undefined ? {} : { variant }),
    });
    return { ...image, ...platformed(platform) };
  });
  return { layout, manifests };
}

describe("readOciLayout, on one image", () => {
  it("gives manifest digest, image ID, platform, config and layers", () => {
    const layout = new LayoutBuilder();
    const config = configDocument({ layers: [base, top], config: { Env: ["A=1"] } });
    const manifest = layout.image({ layers: [base, top], config: { Env: ["A=1"] } });
    const image = open(layout.finish(manifest));
    expect(image).toMatchObject({
      manifestDigest: manifest.digest,
      imageId: layout.blob(config, configType).digest,
      platform: "linux/amd64",
      config: { env: ["A=1"], cmd: null },
    });
    expect(image.layers.map(({ diffId, digest, size }) => ({ diffId, digest, size }))).toEqual(
      [base, top].map((layer) => {
        const { digest, size } = layout.blob(layer, layerType);
        return { diffId: digest, digest, size };
      }),
    );
    expect(image.layers.map(({ span }) => readSpan(span))).toEqual([base, top]);
  });

  it("reads an image of another platform where there is only that one", () => {
    const { layout, manifests } = multiPlatform("linux/s390x");
    expect(open(layout.finish(...manifests)).platform).toBe("linux/s390x");
  });

  it("reads blobs by sha512", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [] });
    const bytes = layout.files.get(blobName(manifest.digest));
    if (!Buffer.isBuffer(bytes)) throw new Error("no manifest");
    const digest = `sha512:${createHash("sha512").update(bytes).digest("hex")}`;
    layout.files.set(blobName(digest), bytes);
    expect(open(layout.finish({ ...manifest, digest })).manifestDigest).toBe(digest);
  });

  it("reads an image without layers", () => {
    expect(open(layoutOf({ layers: [] })).layers).toEqual([]);
  });

  it("reads a layer that is listed twice", () => {
    expect(open(layoutOf({ layers: [base, top, base] })).layers).toHaveLength(3);
  });

  it("takes a layout of any version 1, with more in it than it knows", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    const header = { imageLayoutVersion: "1.1.0", more: { than: "known" } };
    layout.files.set("oci-layout", json(header));
    layout.files.set("blobs/sha256/unknown", "no blob at all");
    layout.files.set(blobName(`sha256:${"0".repeat(64)}`), "another digest's content");
    layout.files.set("more/files", "");
    expect(open(layout.finish(manifest)).manifestDigest).toBe(manifest.digest);
  });

  it("reads descriptors with annotations that it does not know", () => {
    const layout = new LayoutBuilder();
    const annotations = { "org.example.unknown": "value", "": "" };
    const manifest = { ...layout.image({ layers: [base] }), annotations };
    expect(open(layout.finish(manifest)).manifestDigest).toBe(manifest.digest);
  });

  it("follows blobs that are symlinks inside the layout", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    for (const [name, content] of [...layout.files]) {
      if (!name.startsWith("blobs/")) continue;
      layout.files.delete(name);
      layout.files.set(name.replace("blobs/sha256/", "store/"), content);
      layout.files.set(name, { symlink: `../../${name.replace("blobs/sha256/", "store/")}` });
    }
    const image = open(layout.finish(manifest));
    expect(image.layers.map(({ span }) => readSpan(span))).toEqual([base]);
  });

  it("does not follow a blob that is a symlink out of the layout", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    const layer = layout.blob(base, layerType);
    layout.files.set(blobName(layer.digest), { symlink: "/etc/passwd" });
    expect(refusal(() => open(layout.finish(manifest)))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("/etc/passwd"),
    });
  });
});

describe("readOciLayout, on what is damaged", () => {
  /** The layout of one image with a blob replaced. */
  function damaged(which: "manifest" | "config" | "layer", content: Buffer | undefined): FileSet {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    const digests = {
      manifest: manifest.digest,
      config: layout.blob(configDocument({ layers: [base] }), configType).digest,
      layer: layout.blob(base, layerType).digest,
    };
    if (content) layout.files.set(blobName(digests[which]), content);
    else layout.files.delete(blobName(digests[which]));
    return layout.finish(manifest);
  }

  it.each(["manifest", "config", "layer"] as const)("names a %s that is missing", (which) => {
    const error = refusal(() => open(damaged(which, undefined)));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toMatch(/holds no blobs\/sha256\/[0-9a-f]{64}, though it should$/);
  });

  it.each(["manifest", "config", "layer"] as const)("tells a %s of another size", (which) => {
    for (const content of [Buffer.alloc(0), Buffer.alloc(10_000)]) {
      const error = refusal(() => open(damaged(which, content)));
      expect(error).toMatchObject({ code: "IMAGE_INVALID" });
      expect(error.message).toMatch(
        new RegExp(`^sha256:[0-9a-f]{64} in .* has ${content.length} bytes, but should have`),
      );
    }
  });

  it.each(["manifest", "config"] as const)("tells a %s of another digest", (which) => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    const config = layout.blob(configDocument({ layers: [base] }), configType);
    const { digest } = which === "manifest" ? manifest : config;
    const changed = Buffer.from(String(layout.files.get(blobName(digest)))).map((byte, i, all) =>
      i === all.length - 1 ? 32 : byte,
    );
    const error = refusal(() => open(damaged(which, Buffer.from(changed))));
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(error.message).toContain(digest);
  });

  it.each([1, 3])("refuses a manifest and a config that disagree on layers (%d)", (count) => {
    const layout = new LayoutBuilder();
    const config = layout.blob(
      configDocument({ layers: Array.from({ length: count }, () => base) }),
      configType,
    );
    const layers = [base, top].map((layer) => layout.blob(layer, layerType));
    const manifest = layout.blob(json({ schemaVersion: 2, config, layers }), manifestType);
    const error = refusal(() => open(layout.finish(manifest)));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`the manifest has 2 layers, but the config names ${count}`);
  });

  it("refuses a document that is beyond all measure, without reading it", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.blob(Buffer.alloc(16 * 1024 * 1024 + 1), manifestType);
    const error = refusal(() => open(layout.finish(manifest)));
    expect(error).toMatchObject({ code: "LIMIT_DOCUMENT", exitStatus: 65 });
    expect(error.message).toContain(manifest.digest.slice(7));
  });

  it.each([
    { what: "no oci-layout", name: "oci-layout", content: undefined, says: "holds no oci-layout" },
    { what: "no index.json", name: "index.json", content: undefined, says: "holds no index.json" },
    { what: "an empty oci-layout", name: "oci-layout", content: "", says: "oci-layout in " },
    { what: "an empty index.json", name: "index.json", content: "", says: "is not JSON" },
    {
      what: "a layout without a version",
      name: "oci-layout",
      content: "{}",
      says: "imageLayoutVersion",
    },
    {
      what: "an index of schema 1",
      name: "index.json",
      content: '{"schemaVersion":1,"manifests":[]}',
      says: "schema 1",
    },
    {
      what: "an index that could be a manifest",
      name: "index.json",
      content: '{"schemaVersion":2,"manifests":[],"layers":[]}',
      says: "is not the index it is said to be",
    },
  ])("refuses a layout with $what", ({ name, content, says }) => {
    const files = new Map(layoutOf({ layers: [base] }));
    if (content === undefined) files.delete(name);
    else files.set(name, content);
    const error = refusal(() => open(files));
    expect(error.exitStatus).toBe(65);
    expect(error.message).toContain(says);
  });

  it("refuses a layout of a version to come", () => {
    const files = new Map(layoutOf({ layers: [base] }));
    files.set("oci-layout", json({ imageLayoutVersion: "2.0.0" }));
    expect(refusal(() => open(files))).toMatchObject({
      code: "IMAGE_UNSUPPORTED",
      message: expect.stringContaining("2.0.0"),
    });
  });

  it("refuses an entry of schema 1", () => {
    const layout = new LayoutBuilder();
    const mediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    const old = layout.blob(json({ schemaVersion: 1 }), mediaType);
    expect(refusal(() => open(layout.finish(old))).message).toContain("schema 1");
  });

  it("refuses a manifest that the index calls an index, and the other way round", () => {
    const layout = new LayoutBuilder();
    const manifest = layout.image({ layers: [base] });
    const asIndex = { ...manifest, mediaType: indexType };
    expect(refusal(() => open(layout.finish(asIndex))).message).toContain("is not the index");
    const asManifest = { ...layout.index([manifest]), mediaType: manifestType };
    expect(refusal(() => open(layout.finish(asManifest))).message).toContain("is not the manifest");
  });
});

describe("readOciLayout, on indexes", () => {
  const host = formatPlatform(hostPlatform());
  const other = host === "linux/riscv64" ? "linux/s390x" : "linux/riscv64";

  it("takes the host's platform where none is asked for, in any order", () => {
    for (const platforms of [
      [host, other],
      [other, host],
    ]) {
      const { layout, manifests } = multiPlatform(...platforms);
      expect(open(layout.finish(layout.index(manifests))).platform).toBe(host);
      expect(open(layout.finish(...manifests)).platform).toBe(host);
    }
  });

  it("takes the platform that is asked for", () => {
    const { layout, manifests } = multiPlatform(host, other, "linux/arm/v6", "linux/arm/v7");
    const files = layout.finish(layout.index(manifests));
    for (const wanted of [host, other, "linux/arm/v6", "linux/arm/v7"]) {
      expect(open(files, undefined, wanted).platform).toBe(wanted);
    }
    expect(open(files, undefined, "linux/arm").platform).toBe("linux/arm/v6");
  });

  it("never takes one without a platform where there are several", () => {
    const { layout, manifests } = multiPlatform(host, other);
    const [one, two] = manifests;
    if (!one || !two) throw new Error("two manifests were made");
    const { platform: _, ...unnamed } = one;
    const files = layout.finish(layout.index([unnamed, two]));
    expect(open(files, undefined, other).platform).toBe(other);
    expect(refusal(() => open(files, undefined, host))).toMatchObject({
      code: "NOT_FOUND",
      hint: expect.stringContaining(`unnamed, ${other}`),
    });
  });

  it("takes what any machine of the architecture runs before a variant of it", () => {
    const { layout, manifests } = multiPlatform("linux/amd64/v3", "linux/amd64");
    const files = layout.finish(layout.index(manifests));
    expect(open(files, undefined, "linux/amd64").platform).toBe("linux/amd64");
    expect(open(files, undefined, "linux/amd64/v3").platform).toBe("linux/amd64/v3");
  });

  it("lists the platforms where none fits", () => {
    const { layout, manifests } = multiPlatform("linux/s390x", "linux/arm/v7");
    const files = layout.finish(layout.index(manifests));
    expect(refusal(() => open(files, undefined, "linux/ppc64le"))).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("linux/ppc64le"),
      hint: expect.stringContaining("linux/s390x, linux/arm/v7"),
    });
  });

  it("reads nested indexes", () => {
    const { layout, manifests } = multiPlatform(host, other);
    const [one, two] = manifests.map((manifest) => layout.index([manifest]));
    if (!one || !two) throw new Error("no manifests");
    const nested = layout.index([layout.index([one]), two]);
    expect(open(layout.finish(nested), undefined, other).platform).toBe(other);
  });

  it("passes over artifacts and images of schema 1 beside an image", () => {
    const layout = new LayoutBuilder();
    const image = layout.image({ layers: [base] });
    const artifact = { ...image, digest: `sha256:${"0".repeat(64)}`, artifactType: "text/sbom" };
    const old = { ...artifact, mediaType: "application/vnd.docker.distribution.manifest.v1+json" };
    const odd = { mediaType: "application/vnd.example+json", digest: "blake3:0", size: -1 };
    const entries = [artifact, old, odd, { ...image, artifactType: configType }];
    expect(open(layout.finish(...entries)).manifestDigest).toBe(image.digest);
    expect(open(layout.finish(layout.index(entries))).manifestDigest).toBe(image.digest);
  });

  it("ignores attestations and what is of an unknown type, in the index and below", () => {
    const layout = new LayoutBuilder();
    const image = layout.image({ layers: [base] });
    const attestation: DescriptorJson = {
      ...layout.blob(json({ schemaVersion: 2, layers: "no manifest at all" }), manifestType),
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
      ...platformed("unknown/unknown"),
    };
    const { annotations: _, ...unnamed } = attestation;
    const foreign = { ...layout.blob(Buffer.from("x"), "application/vnd.example+json") };
    const missing = { mediaType: "constructor", digest: `sha256:${"0".repeat(64)}`, size: 1 };
    const entries = [foreign, attestation, unnamed, missing, image];
    expect(open(layout.finish(...entries)).manifestDigest).toBe(image.digest);
    expect(open(layout.finish(layout.index(entries))).manifestDigest).toBe(image.digest);
  });

  it.each([
    { what: "nothing", entries: [] },
    {
      what: "only what is no image",
      entries: [
        { mediaType: "application/vnd.example+json", digest: `sha256:${"0".repeat(64)}`, size: 1 },
      ],
    },
  ])("finds no image in an index of $what", ({ entries }) => {
    const layout = new LayoutBuilder();
    const withoutBlobs = new Map(layout.finish(...entries));
    const withOneIndex = layout.finish(layout.index(entries));
    for (const files of [withoutBlobs, withOneIndex]) {
      expect(refusal(() => open(files))).toMatchObject({
        code: "IMAGE_INVALID",
        message: expect.stringMatching(/ holds no image$/),
      });
    }
  });

  it("refuses indexes that nest beyond reason", () => {
    const layout = new LayoutBuilder();
    let entry = layout.image({ layers: [base] });
    for (let depth = 0; depth < 20; depth++) entry = layout.index([entry]);
    expect(refusal(() => open(layout.finish(entry)))).toMatchObject({
      code: "IMAGE_INVALID",
      message: expect.stringContaining("nest more than"),
    });
  });

  it("is done at once with indexes that name each other a billion times", () => {
    const layout = new LayoutBuilder();
    const image = layout.image({ layers: [base] });
    let entry = image;
    for (let depth = 0; depth < 7; depth++) {
      entry = layout.index(Array.from({ length: 20 }, () => entry));
    }
    expect(open(layout.finish(entry)).manifestDigest).toBe(image.digest);
  });

  it("refuses an index whose blob is another", () => {
    const layout = new LayoutBuilder();
    const index = layout.index([layout.image({ layers: [base] })]);
    const wrong = Buffer.alloc(index.size, 32);
    layout.files.set(blobName(index.digest), wrong);
    expect(refusal(() => open(layout.finish(index))).code).toBe("DIGEST_MISMATCH");
  });
});

describe("readOciLayout, on several images", () => {
  function twoImages() {
    const layout = new LayoutBuilder();
    const one = { ...layout.image({ layers: [base] }), ...named("one:1.0") };
    const two = {
      ...layout.image({ layers: [top] }),
      annotations: { "io.containerd.image.name": "docker.io/library/two:2.0" },
    };
    return { one, two, files: layout.finish(one, two) };
  }

  it.each(["one:1.0", "@0"])("takes the first for %s", (choice) => {
    const { files, one } = twoImages();
    expect(open(files, choice).manifestDigest).toBe(one.digest);
  });

  it.each(["two:2.0", "docker.io/library/two:2.0", "@1"])("takes the second for %s", (choice) => {
    const { files, two } = twoImages();
    expect(open(files, choice).manifestDigest).toBe(two.digest);
  });

  it("takes no names from nested indexes", () => {
    const layout = new LayoutBuilder();
    const inner = { ...layout.image({ layers: [base] }), ...named("inner:1") };
    const nested = { ...layout.index([inner]), ...named("outer:1") };
    const files = layout.finish(nested, layout.image({ layers: [top] }));
    expect(open(files, "outer:1").manifestDigest).toBe(inner.digest);
    expect(refusal(() => open(files, "inner:1"))).toMatchObject({ code: "NOT_FOUND" });
  });

  it("asks for a choice, and lists the names", () => {
    expect(refusal(() => open(twoImages().files))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      hint: expect.stringContaining("@0 (one:1.0), @1 (docker.io/library/two:2.0)"),
    });
  });

  it("says what there is where the name is another", () => {
    expect(refusal(() => open(twoImages().files, "three"))).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining('"three"'),
      hint: expect.stringContaining("one:1.0"),
    });
  });

  it("asks for a choice among images that have neither name nor platform", () => {
    const layout = new LayoutBuilder();
    const files = layout.finish(layout.image({ layers: [base] }), layout.image({ layers: [top] }));
    expect(refusal(() => open(files))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      hint: expect.stringContaining("@0 (without a name), @1 (without a name)"),
    });
  });

  it("asks for a choice among images of one platform", () => {
    const layout = new LayoutBuilder();
    const images = [base, top].map((layer) => ({
      ...layout.image({ layers: [layer] }),
      ...platformed("linux/amd64"),
    }));
    expect(refusal(() => open(layout.finish(...images))).code).toBe("REFERENCE_AMBIGUOUS");
  });

  it("takes an image's platforms under one name for one image", () => {
    const { layout, manifests } = multiPlatform("linux/amd64", "linux/arm64");
    const files = layout.finish(...manifests.map((entry) => ({ ...entry, ...named("x:1") })));
    expect(open(files, "x:1", "linux/arm64").platform).toBe("linux/arm64");
    expect(open(files, undefined, "linux/arm64").platform).toBe("linux/arm64");
    expect(open(files, "@0", "linux/arm64").platform).toBe("linux/amd64");
  });
});
