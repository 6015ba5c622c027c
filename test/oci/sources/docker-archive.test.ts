import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSpan } from "../../../src/host/span.js";
import type { Bundle } from "../../../src/oci/bundle/bundle.js";
import { openTarFile } from "../../../src/oci/bundle/tar-file.js";
import { digestOf } from "../../../src/oci/digest.js";
import { readDockerArchive } from "../../../src/oci/sources/docker-archive.js";
import {
  DockerArchiveBuilder,
  dockerArchiveOf,
  type SavedImageJson,
} from "../../support/docker-archive.js";
import { type FileSet, writeArchive } from "../../support/file-set.js";
import { bundleOf } from "../../support/file-set-bundle.js";
import { configDocument, hexOf, json, layerBytes } from "../../support/image-parts.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const base = layerBytes("base");
const top = layerBytes("top");

async function archiveBundle(files: FileSet): Promise<Bundle> {
  return openTarFile(await writeArchive(join(scratchDirectory(), "image.tar"), files));
}

/** The same files as an archive and exploded. */
const forms = [
  { form: "an archive", bundle: archiveBundle },
  { form: "a directory", bundle: async (files: FileSet) => bundleOf(files) },
];

function contents(bundle: Bundle, choice?: string): Buffer[] {
  return readDockerArchive(bundle, choice).layers.map(({ span }) => readSpan(span));
}

describe.each(forms)("readDockerArchive, on $form", ({ bundle }) => {
  it("gives image ID, platform, config and layers", async () => {
    const parts = {
      layers: [base, top],
      architecture: "arm64",
      variant: "v8",
      config: { Cmd: ["x"] },
    };
    const image = readDockerArchive(await bundle(dockerArchiveOf(parts)), undefined);
    expect(image).toMatchObject({
      imageId: digestOf(configDocument(parts)),
      manifestDigest: null,
      platform: "linux/arm64/v8",
      config: { cmd: ["x"] },
    });
    expect(
      image.layers.map(({ diffId, digest, size, span }) => [diffId, digest, size, readSpan(span)]),
    ).toEqual([base, top].map((layer) => [digestOf(layer), null, layer.length, layer]));
  });

  it("finds manifest.json at the front too", async () => {
    const files = dockerArchiveOf({ layers: [base] });
    const reversed = new Map([...files].reverse());
    expect([...reversed.keys()][0]).toBe("manifest.json");
    expect(contents(await bundle(reversed))).toEqual([base]);
  });

  it("reads a layer that is listed twice", async () => {
    const files = dockerArchiveOf({ layers: [base, top, base] });
    expect(contents(await bundle(files))).toEqual([base, top, base]);
  });

  it("follows a layer that is a symlink to another, as old versions of Docker saved it", async () => {
    const archive = new DockerArchiveBuilder();
    const image = archive.image({ layers: [base, base] });
    archive.files.set("second/layer.tar", { symlink: `../${hexOf(digestOf(base))}/layer.tar` });
    const Layers = [image.Layers?.[0] ?? "", "second/layer.tar"];
    expect(contents(await bundle(archive.finish({ ...image, Layers })))).toEqual([base, base]);
  });

  it("follows a layer that is a hard link to another", async () => {
    const archive = new DockerArchiveBuilder();
    const image = archive.image({ layers: [base, base] });
    archive.files.set("second.tar", { link: `${hexOf(digestOf(base))}/layer.tar` });
    const Layers = [image.Layers?.[0] ?? "", "second.tar"];
    expect(contents(await bundle(archive.finish({ ...image, Layers })))).toEqual([base, base]);
  });

  it("knows the blobs of Docker 25 and later by their digests", async () => {
    const config = configDocument({ layers: [base] });
    const files: FileSet = new Map([
      [`blobs/sha256/${hexOf(digestOf(base))}`, base],
      [`blobs/sha256/${hexOf(digestOf(config))}`, config],
      [
        "manifest.json",
        json([
          {
            Config: `blobs/sha256/${hexOf(digestOf(config))}`,
            RepoTags: ["a:1"],
            Layers: [`blobs/sha256/${hexOf(digestOf(base))}`],
            LayerSources: {},
          },
        ]),
      ],
    ]);
    const image = readDockerArchive(await bundle(files), "a:1");
    expect(image).toMatchObject({
      imageId: digestOf(config),
      layers: [{ digest: digestOf(base) }],
    });
  });

  it.each(["config.json", "größe.json", "a b/./c.json", "./config.json"])(
    "reads a config called %s, whose name says nothing",
    async (Config) => {
      const config = configDocument({ layers: [] });
      const files: FileSet = new Map([
        [Config, config],
        ["manifest.json", json([{ Config, RepoTags: null, Layers: null }])],
      ]);
      expect(readDockerArchive(await bundle(files), undefined).imageId).toBe(digestOf(config));
    },
  );

  it.each([
    (hex: string) => `${hex}.json`,
    (hex: string) => `blobs/sha256/${hex}`,
    (hex: string) => `./${hex}.json`,
  ])("refuses a config that is not what its name says (%#)", async (nameOf) => {
    const stated = "a".repeat(64);
    const files: FileSet = new Map([
      [nameOf(stated), configDocument({ layers: [] })],
      ["manifest.json", json([{ Config: nameOf(stated), Layers: [] }])],
    ]);
    const opened = await bundle(files);
    const error = refusal(() => readDockerArchive(opened, undefined));
    expect(error).toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(error.message).toContain(stated);
  });

  it.each([
    { layers: 1, diffIds: 2 },
    { layers: 2, diffIds: 1 },
    { layers: 0, diffIds: 1 },
  ])("refuses $layers layers beside $diffIds diffIDs", async ({ layers, diffIds }) => {
    const archive = new DockerArchiveBuilder();
    const image = archive.image({ layers: Array.from({ length: diffIds }, () => base) });
    const Layers = Array.from({ length: layers }, () => `${hexOf(digestOf(base))}/layer.tar`);
    const opened = await bundle(archive.finish({ ...image, Layers }));
    const error = refusal(() => readDockerArchive(opened, undefined));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`has ${layers} layers, but its config names ${diffIds}`);
  });

  it.each(["config", "layer"])("names a %s that is missing", async (which) => {
    const files = new Map(dockerArchiveOf({ layers: [base] }));
    const [config = "", layer = ""] = [...files.keys()];
    const missing = which === "config" ? config : layer;
    files.delete(missing);
    const opened = await bundle(files);
    expect(refusal(() => readDockerArchive(opened, undefined))).toMatchObject({
      code: "IMAGE_INVALID",
      message: `${opened.label} holds no ${missing}, though it should`,
    });
  });

  it.each(["../outside.tar", "a/../../outside.tar"])(
    "finds no layer outside, by the name %s",
    async (name) => {
      const archive = new DockerArchiveBuilder();
      const image = archive.image({ layers: [base] });
      const opened = await bundle(archive.finish({ ...image, Layers: [name] }));
      expect(refusal(() => readDockerArchive(opened, undefined)).code).toBe("IMAGE_INVALID");
    },
  );

  it.each(["", "/", ".", "x\0y", "manifest.json/x"])("finds no layer called %j", async (name) => {
    const archive = new DockerArchiveBuilder();
    const image = archive.image({ layers: [base] });
    const opened = await bundle(archive.finish({ ...image, Layers: [name] }));
    expect(refusal(() => readDockerArchive(opened, undefined)).code).toBe("IMAGE_INVALID");
  });

  it.each([
    { what: "no list", manifest: {}, place: "the document" },
    { what: "no Config", manifest: [{ Layers: [] }], place: "0.Config" },
    {
      what: "a number for a layer",
      manifest: [{ Config: "x", Layers: ["a", 1] }],
      place: "0.Layers.1",
    },
    { what: "text for RepoTags", manifest: [{ Config: "x", RepoTags: "a" }], place: "0.RepoTags" },
    { what: "null for an image", manifest: [null], place: "0" },
  ])("refuses a manifest.json with $what and names $place", async ({ manifest, place }) => {
    const opened = await bundle(new Map([["manifest.json", json(manifest)]]));
    const error = refusal(() => readDockerArchive(opened, undefined));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toContain(`manifest.json in ${opened.label}: ${place}: `);
  });

  it("says that there is no image in an empty manifest.json", async () => {
    const opened = await bundle(new Map([["manifest.json", "[]"]]));
    expect(refusal(() => readDockerArchive(opened, undefined)).message).toMatch(/holds no image$/);
  });
});

describe("readDockerArchive, on several images", () => {
  function several(...tags: readonly (readonly string[] | null)[]) {
    const archive = new DockerArchiveBuilder();
    const images = tags.map((names, i): SavedImageJson => {
      return archive.image({ layers: [layerBytes(`${i}`)], tags: names });
    });
    return bundleOf(archive.finish(...images));
  }

  it.each([
    { choice: "a:1", layer: "0" },
    { choice: "docker.io/library/a:1", layer: "0" },
    { choice: "b", layer: "1" },
    { choice: "b:also", layer: "1" },
    { choice: "@2", layer: "2" },
  ])("takes $choice", ({ choice, layer }) => {
    const bundle = several(["a:1"], ["b:latest", "b:also"], null);
    expect(contents(bundle, choice)).toEqual([layerBytes(layer)]);
  });

  it("asks for a choice, and lists them", () => {
    const bundle = several(["a:1"], ["b:latest", "b:also"], null);
    expect(refusal(() => readDockerArchive(bundle, undefined))).toMatchObject({
      code: "REFERENCE_AMBIGUOUS",
      hint: expect.stringContaining("@0 (a:1), @1 (b:latest = b:also), @2 (without a name)"),
    });
  });

  it.each([null, []])("asks for a choice where none has a name (%j)", (tags) => {
    const bundle = several(tags, tags);
    expect(refusal(() => readDockerArchive(bundle, undefined)).code).toBe("REFERENCE_AMBIGUOUS");
    expect(contents(bundle, "@1")).toEqual([layerBytes("1")]);
  });

  it("does not guess between two images of one name", () => {
    const bundle = several(["a:1"], ["a:1"]);
    expect(refusal(() => readDockerArchive(bundle, undefined)).code).toBe("REFERENCE_AMBIGUOUS");
    expect(refusal(() => readDockerArchive(bundle, "a:1")).code).toBe("REFERENCE_AMBIGUOUS");
  });

  it("takes an image that is listed twice for one", () => {
    const archive = new DockerArchiveBuilder();
    const image = archive.image({ layers: [base], tags: ["a:1"] });
    const bundle = bundleOf(archive.finish(image, { ...image, RepoTags: ["a:2"] }));
    expect(contents(bundle)).toEqual([base]);
    expect(contents(bundle, "a:1")).toEqual([base]);
    expect(contents(bundle, "a:2")).toEqual([base]);
  });
});
