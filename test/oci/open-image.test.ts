import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as after } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readSpan } from "../../src/host/span.js";
import { digestOf } from "../../src/oci/digest.js";
import type { Image } from "../../src/oci/image.js";
import { defaultLimits } from "../../src/oci/limits.js";
import { locate, openImage } from "../../src/oci/open-image.js";
import { parsePlatform } from "../../src/oci/platform.js";
import { parseReference } from "../../src/oci/reference.js";
import { dockerArchiveOf } from "../support/docker-archive.js";
import { type FileSet, packFiles, writeFiles } from "../support/file-set.js";
import { configDocument, hexOf, json, layerBytes } from "../support/image-parts.js";
import { LayoutBuilder, layoutOf, named } from "../support/oci-layout.js";
import { refusal, rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { zstdFrame } from "../support/zstd-handmade.js";

const layers = [layerBytes("base"), layerBytes("top")];
const docker = dockerArchiveOf({ layers, tags: ["x:1"] });
const layout = layoutOf({ layers });

let dockerTar: Buffer;
let layoutTar: Buffer;
beforeAll(async () => {
  dockerTar = await packFiles(docker);
  layoutTar = await packFiles(layout);
});

async function open(text: string, options: { platform?: string } = {}): Promise<Image> {
  return await openImage(parseReference(text), {
    platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
    spoolDirectory: scratchDirectory,
  });
}

function written(name: string, content: Buffer | string): string {
  const path = join(scratchDirectory(), name);
  writeFileSync(path, content);
  return path;
}

function exploded(files: FileSet, name = "image"): string {
  return writeFiles(join(scratchDirectory(), name), files);
}

/** The path of an image in every form, under names that say something else. */
const forms: readonly { form: string; path: () => string; isDirectory?: boolean }[] = [
  { form: "a docker-archive", path: () => written("image.oci", dockerTar) },
  { form: "a docker-archive by gzip", path: () => written("image.tar", gzipSync(dockerTar)) },
  { form: "a docker-archive by zstd", path: () => written("image.tar.gz", zstdFrame(dockerTar)) },
  { form: "an exploded docker-archive", path: () => exploded(docker, "x.tar"), isDirectory: true },
  { form: "an oci-archive", path: () => written("image.tar.gz", layoutTar) },
  { form: "an oci-archive by gzip", path: () => written("image.zst", gzipSync(layoutTar)) },
  { form: "an oci-archive by zstd", path: () => written("image", zstdFrame(layoutTar)) },
  { form: "an OCI layout", path: () => exploded(layout, "layout.tgz"), isDirectory: true },
];

describe.each(forms)("openImage, on $form", ({ form, path, isDirectory = false }) => {
  const isOci = /oci-|OCI/.test(form);
  const transport = isOci ? (isDirectory ? "oci" : "oci-archive") : "docker-archive";

  function expectImage(image: Image): void {
    expect(image.imageId).toBe(digestOf(configDocument({ layers })));
    expect(image.manifestDigest === null).toBe(!isOci);
    expect(image.layers.map(({ diffId }) => diffId)).toEqual(layers.map((l) => digestOf(l)));
    expect(image.layers.map(({ span }) => readSpan(span))).toEqual(layers);
  }

  it("tells it by its content, whatever its name says", async () => {
    expectImage(await open(path()));
  });

  it("opens it by its transport", async () => {
    expectImage(await open(`${transport}:${path()}`));
  });

  it("opens it through a link", async () => {
    const link = join(scratchDirectory(), "link");
    symlinkSync(path(), link);
    expectImage(await open(link));
  });

  it("takes what follows a colon for the image in it", async () => {
    const at = path();
    expectImage(await open(`${at}:@0`));
    expect(await rejection(open(`${at}:nosuch`))).toMatchObject({
      code: "NOT_FOUND",
      message: `${at} holds no image "nosuch"`,
    });
  });

  it("checks the platform that is asked for", async () => {
    const at = path();
    expectImage(await open(at, { platform: "linux/amd64" }));
    expect(await rejection(open(at, { platform: "linux/s390x" }))).toMatchObject({
      code: "NOT_FOUND",
      message: `${at} holds an image for linux/amd64, not for linux/s390x`,
    });
  });
});

describe("openImage, on archives that are both", () => {
  /** As Docker 25 and later save them. */
  function bothKinds(): FileSet {
    const builder = new LayoutBuilder();
    const saved = builder.image({ layers });
    const other = builder.image({ layers: [layerBytes("other")] });
    const files = new Map(builder.finish({ ...saved, ...named("1") }, { ...other, ...named("2") }));
    const config = configDocument({ layers });
    const blob = (bytes: Buffer) => `blobs/sha256/${hexOf(digestOf(bytes))}`;
    files.set(
      "manifest.json",
      json([{ Config: blob(config), RepoTags: ["x:1"], Layers: layers.map(blob) }]),
    );
    return files;
  }

  it("takes what manifest.json names", async () => {
    const image = await open(written("image.tar", await packFiles(bothKinds())));
    expect(image).toMatchObject({
      manifestDigest: null,
      imageId: digestOf(configDocument({ layers })),
    });
    expect(image.layers.map(({ digest }) => digest)).toEqual(layers.map((l) => digestOf(l)));
  });

  it("takes the transport's word", async () => {
    const path = written("image.tar", await packFiles(bothKinds()));
    expect((await open(`oci-archive:${path}:1`)).manifestDigest).not.toBeNull();
    expect((await open(`docker-archive:${path}:x:1`)).manifestDigest).toBeNull();
  });
});

describe("openImage, on a RepX Lab", () => {
  function lab(target: string): string {
    const root = join(scratchDirectory(), "lab");
    const [layer = Buffer.alloc(0)] = layers;
    const config = configDocument({ layers: [layer] });
    const hash = hexOf(digestOf(layer));
    writeFiles(
      root,
      new Map<string, Buffer | { symlink: string }>([
        [`store/${hash}-layer.tar`, layer],
        ["../outside.tar", layer],
        [`images/tools/${hexOf(digestOf(config))}.json`, config],
        [`images/tools/${hash}/layer.tar`, { symlink: target.replace("HASH", hash) }],
        [
          "images/tools/manifest.json",
          json([
            {
              Config: `${hexOf(digestOf(config))}.json`,
              RepoTags: ["tools:latest"],
              Layers: [`${hash}/layer.tar`],
            },
          ]),
        ],
      ]),
    );
    return join(root, "images/tools");
  }

  it("reads an image whose layers are links into the store", async () => {
    const image = await open(lab("../../../store/HASH-layer.tar"));
    expect(image.layers.map(({ span }) => readSpan(span))).toEqual(layers.slice(0, 1));
  });

  it("refuses a layer that leaves the Lab", async () => {
    const error = await rejection(open(lab("../../../../outside.tar")));
    expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    expect(error.message).toMatch(/layer\.tar leads out of .* to .*outside\.tar$/);
  });
});

describe("openImage, on what is no image", () => {
  it.each([
    { what: "an empty file", content: Buffer.alloc(0), says: "is empty" },
    { what: "text", content: Buffer.from("hello ".repeat(200)), says: "is no image archive" },
    { what: "a short text", content: Buffer.from("hello"), says: "is no image archive" },
    { what: "zeros", content: Buffer.alloc(20_000), says: "is no image archive" },
  ])("says that $what $says", async ({ content, says }) => {
    for (const transport of ["", "docker-archive:", "oci-archive:"]) {
      const path = written("image.tar", content);
      expect(await rejection(open(transport + path))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `${path} ${says}`,
        hint: expect.stringContaining("docker-archive or oci-archive"),
      });
    }
  });

  it.each([
    { name: "xz", content: Buffer.from(`fd377a585a000004${"00".repeat(600)}`, "hex") },
    { name: "bzip2", content: Buffer.from(`425a683931415926${"00".repeat(600)}`, "hex") },
  ])("names the compression $name and the file", async ({ name, content }) => {
    const path = written("image.tar", content);
    const error = await rejection(open(path));
    expect(error).toMatchObject({ code: "IMAGE_UNSUPPORTED", exitStatus: 65 });
    expect(error.message).toContain(name);
    expect(error.message).toContain(path);
  });

  it("says what an archive of something else lacks", async () => {
    const files = new Map([["README", "hello"]]);
    const tar = await packFiles(files);
    for (const path of [written("a", tar), written("b", gzipSync(tar)), exploded(files)]) {
      expect(await rejection(open(path))).toMatchObject({
        code: "IMAGE_INVALID",
        message: `${path} holds no image: neither manifest.json nor oci-layout is in it`,
      });
    }
  });

  it("says what an archive lacks that was said to be of one kind", async () => {
    const asDocker = await rejection(open(`docker-archive:${written("a", layoutTar)}`));
    expect(asDocker.message).toContain("holds no manifest.json");
    const asOci = await rejection(open(`oci-archive:${written("a", dockerTar)}`));
    expect(asOci.message).toContain("holds no oci-layout");
  });

  it("says that a compressed archive of nothing is no image", async () => {
    for (const content of [
      gzipSync(""),
      zstdFrame(Buffer.alloc(0)),
      gzipSync(Buffer.alloc(10_240)),
    ]) {
      const error = await rejection(open(written("image.tar.gz", content)));
      expect(error).toMatchObject({ code: "IMAGE_INVALID" });
    }
  });

  it("refuses a fifo and a device at once", async () => {
    const fifo = join(scratchDirectory(), "fifo");
    execFileSync("mkfifo", [fifo]);
    for (const path of [fifo, "/dev/null", "/dev/zero"]) {
      for (const transport of ["", "docker-archive:", "oci-archive:"]) {
        expect(await rejection(open(transport + path))).toMatchObject({
          code: "IMAGE_INVALID",
          message: `${path} is not a regular file`,
        });
      }
    }
  }, 2000);

  it("refuses fifos in place of a layout's files", async () => {
    for (const name of ["oci-layout", "index.json"]) {
      const files = new Map(layout);
      files.delete(name);
      const directory = exploded(files);
      execFileSync("mkfifo", [join(directory, name)]);
      expect((await rejection(open(directory))).message).toMatch(/is not a regular file$/);
    }
  }, 2000);

  it("says what to write where a directory was taken for an archive, or the other way round", async () => {
    const directory = exploded(layout);
    expect(await rejection(open(`oci-archive:${directory}`))).toMatchObject({
      code: "IMAGE_INVALID",
      message: `${directory} is a directory, not an archive`,
      hint: `write oci:${directory}`,
    });
    const path = written("image.tar", layoutTar);
    expect(await rejection(open(`oci:${path}`))).toMatchObject({
      code: "IMAGE_INVALID",
      message: `${path} is not a directory`,
      hint: `write oci-archive:${path}`,
    });
  });

  it("refuses a docker-archive and a layout that are cut, wherever that is", async () => {
    for (const whole of [dockerTar, layoutTar]) {
      for (let length = 512; length < whole.length - 1024; length += 512) {
        const error = await rejection(open(written("image.tar", whole.subarray(0, length))));
        expect(error.exitStatus).toBe(65);
      }
    }
  });

  it("refuses an image of more layers than it may have", async () => {
    const path = written("image.tar", layoutTar);
    const options = { spoolDirectory: scratchDirectory };
    const openWith = (most: number) =>
      openImage(parseReference(path), { ...options, limits: { ...defaultLimits, layers: most } });
    expect((await openWith(2)).layers).toHaveLength(2);
    expect(await rejection(openWith(1))).toMatchObject({
      code: "LIMIT_LAYERS",
      exitStatus: 65,
      hint: expect.stringContaining("--max-layers"),
    });
  });

  it("refuses what lacks an architecture where one is asked for, and opens it otherwise", async () => {
    const config = json({ os: "linux", rootfs: { type: "layers", diff_ids: [] } });
    const files = new Map<string, Buffer>([
      ["config.json", config],
      ["manifest.json", json([{ Config: "config.json", Layers: [] }])],
    ]);
    const path = exploded(files);
    expect((await open(path)).imageId).toBe(digestOf(config));
    expect((await rejection(open(path, { platform: "linux/amd64" }))).code).toBe("NOT_FOUND");
  });
});

describe("locate", () => {
  it("gives the file and the choice", () => {
    const path = written("a:b", "");
    expect(locate(parseReference(path))).toEqual({ path, choice: undefined });
    expect(locate(parseReference(`oci-archive:${path}:c:d`))).toEqual({ path, choice: "c:d" });
  });

  it.each(["alpine", "alpine:3.20"])("suggests a registry for the bare word %s", (word) => {
    const before = process.cwd();
    process.chdir(scratchDirectory());
    onTestFinished(() => process.chdir(before));
    expect(refusal(() => locate(parseReference(word)))).toMatchObject({
      code: "NOT_FOUND",
      hint: expect.stringContaining(`docker://${word}`),
    });
  });

  it.each(["/no/such/file", "./nosuch.tar:x", "oci:nosuch"])(
    "only says that %s is missing",
    (text) => {
      const error = refusal(() => locate(parseReference(text)));
      expect(error).toMatchObject({ code: "NOT_FOUND", hint: undefined });
      expect(error.message).toMatch(/^no such file or directory: /);
    },
  );
});

describe("openImage, on a directory of its own", () => {
  it("asks for one only where it needs one, and once", async () => {
    let asked = 0;
    const spoolDirectory = () => {
      asked++;
      return scratchDirectory();
    };
    for (const path of [written("a", dockerTar), exploded(layout)]) {
      await openImage(parseReference(path), { spoolDirectory });
    }
    expect(asked).toBe(0);
    await openImage(parseReference(written("a", gzipSync(dockerTar))), { spoolDirectory });
    expect(asked).toBe(1);
  });

  it("reads the same image after the archive was moved aside, from what it spooled", async () => {
    const directory = join(scratchDirectory(), "spool");
    mkdirSync(directory);
    const path = written("a.gz", gzipSync(dockerTar));
    const image = await openImage(parseReference(path), { spoolDirectory: () => directory });
    writeFileSync(path, "");
    expect(image.layers.map(({ span }) => readFileSync(span.path))).toEqual(layers);
  });

  it("stops with the signal's reason, and leaves no file open", async () => {
    const reason = new Error("stop");
    const before = readdirSync("/proc/self/fd").length;
    const opening = openImage(parseReference(written("a", gzipSync(dockerTar))), {
      spoolDirectory: scratchDirectory,
      signal: AbortSignal.abort(reason),
    });
    await expect(opening).rejects.toBe(reason);
    await after(50);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});

describe("openImage, on standard input that nobody ends", () => {
  const garbage = Buffer.alloc(4096, "no tar archive");
  it.each<[when: string, start: Buffer, signal: AbortSignal | undefined, reason: string]>([
    ["it is told to stop before anything came", Buffer.alloc(0), AbortSignal.timeout(50), "time"],
    ["it is told to stop in the middle", Buffer.alloc(600), AbortSignal.timeout(50), "time"],
    ["what came is no archive", garbage, undefined, "tar archive"],
  ])("stops reading when %s", async (_, start, signal, reason) => {
    const stdin = new PassThrough();
    stdin.write(start);
    const own = Object.getOwnPropertyDescriptor(process, "stdin") ?? {};
    onTestFinished(() => void Object.defineProperty(process, "stdin", own));
    Object.defineProperty(process, "stdin", { value: stdin, configurable: true });
    const opening = openImage(parseReference("-"), { spoolDirectory: scratchDirectory, signal });
    await expect(opening).rejects.toThrow(reason);
    expect(stdin.destroyed).toBe(true);
  });
});
