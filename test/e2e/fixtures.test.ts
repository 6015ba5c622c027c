import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { createGunzip } from "node:zlib";
import { execa } from "execa";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { EPOCH_SECONDS, LATIN1_NAME, LONG_DIR } from "./support/debian-layers.js";
import { asStaged } from "./support/expected-tree.js";
import { nixImage, nixImageNeeds } from "./support/nix-image.js";
import { blobPath, readLayout } from "./support/oci-layout.js";
import { testNeeding } from "./support/programs.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";
import { umociUnpack } from "./support/umoci.js";
import { runAsOrdinaryUser } from "./support/users.js";

/** The digest of what a stream of bytes brings. */
async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) {
    hash.update(chunk);
  }
  return `sha256:${hash.digest("hex")}`;
}

/** The bytes that a program writes. */
const outputOf = (command: string, args: readonly string[]): AsyncIterable<Uint8Array> =>
  execa(command, args, { buffer: false }).iterable({ binary: true });

/** The names in a layer. What `umoci insert` writes ends without padding and without end blocks. */
async function listLayer(path: string): Promise<string[]> {
  const layer = readFileSync(path);
  const end = Buffer.alloc(1024 + ((512 - (layer.length % 512)) % 512));
  const { stdout } = await execa("tar", ["--list", "--absolute-names", "--file", "-"], {
    input: Buffer.concat([layer, end]),
  });
  return stdout.split("\n");
}

const listTar = async (args: readonly string[]): Promise<string[]> =>
  (await execa("tar", ["--list", "--absolute-names", ...args])).stdout.split("\n");

const readManifestJson = async (archive: string): Promise<unknown> =>
  JSON.parse((await execa("tar", ["-xOf", archive, "manifest.json"])).stdout);

describe("the Debian image", () => {
  const test = testNeeding([...debianImageNeeds, "tar", "zstd"]);

  test("has the same config and the same layers in its three layouts", async () => {
    const { forms, imageId, diffIds } = await debianImage();
    const openBlob = {
      "application/vnd.oci.image.layer.v1.tar": (path: string) => createReadStream(path),
      "application/vnd.oci.image.layer.v1.tar+gzip": (path: string) =>
        createReadStream(path).pipe(createGunzip()),
      "application/vnd.oci.image.layer.v1.tar+zstd": (path: string) =>
        outputOf("zstd", ["--decompress", "--stdout", path]),
    };
    for (const [layout, mediaType] of [
      [forms.ociLayoutPlain, "application/vnd.oci.image.layer.v1.tar"],
      [forms.ociLayoutGzip, "application/vnd.oci.image.layer.v1.tar+gzip"],
      [forms.ociLayoutZstd, "application/vnd.oci.image.layer.v1.tar+zstd"],
    ] as const) {
      const { manifest } = readLayout(layout);
      expect(await digestOf(createReadStream(blobPath(layout, manifest.config.digest)))).toBe(
        imageId,
      );
      expect(new Set(manifest.layers.map((layer) => layer.mediaType))).toEqual(
        new Set([mediaType]),
      );
      const unpacked = manifest.layers.map((layer) =>
        digestOf(openBlob[mediaType](blobPath(layout, layer.digest))),
      );
      expect(await Promise.all(unpacked)).toEqual(diffIds);
    }
  });

  test("has the same config and the same layers in its archives", async () => {
    const { forms, imageId, diffIds } = await debianImage();
    const hex = (digest: string) => digest.slice("sha256:".length);
    expect(await readManifestJson(forms.dockerArchive)).toMatchObject([
      { Config: `${hex(imageId)}.json`, Layers: diffIds.map((id) => `${hex(id)}.tar`) },
    ]);
    for (const [name, digest] of [
      [`${hex(imageId)}.json`, imageId],
      ...diffIds.map((id) => [`${hex(id)}.tar`, id] as const),
    ] as const) {
      expect(await digestOf(outputOf("tar", ["-xOf", forms.dockerArchive, name]))).toBe(digest);
    }
    expect(await digestOf(createReadStream(forms.dockerArchiveGzip).pipe(createGunzip()))).toBe(
      await digestOf(createReadStream(forms.dockerArchive)),
    );
    expect(await listTar(["--file", forms.ociArchive])).toEqual(
      expect.arrayContaining([
        "oci-layout",
        "index.json",
        `blobs/sha256/${hex(imageId)}`,
        ...readLayout(forms.ociLayoutGzip).manifest.layers.map(
          ({ digest }) => `blobs/sha256/${hex(digest)}`,
        ),
      ]),
    );
  });

  test("has layers with whiteouts, opaque markers and odd members", async () => {
    const { forms } = await debianImage();
    const { manifest } = readLayout(forms.ociLayoutPlain);
    const layers = await Promise.all(
      manifest.layers.map(({ digest }) => listLayer(blobPath(forms.ociLayoutPlain, digest))),
    );
    expect(layers.length).toBe(6);
    expect(layers.map((names) => names.filter((name) => name.includes("/.wh.")))).toEqual([
      [],
      [],
      expect.arrayContaining(["opt/site/.wh.gone", "opt/site/.wh.gone.txt"]),
      ["opt/site/reborn/.wh.old"],
      ["opt/site/opaque/.wh..wh..opq"],
      ["opt/site/opaque-late/.wh..wh..opq", "opt/site/late/.wh.again", "opt/site/links/.wh.one"],
    ]);
    expect(layers.at(-1)).toEqual(
      expect.arrayContaining(["./opt/site/dotted", "/opt/site/absolute"]),
    );
  });

  test("unpacks to what its layers say", async () => {
    const { faithfulTree } = await debianImage();
    const tree = new Map(faithfulTree().map((entry) => [entry.path, entry]));
    const site = (name: string) => tree.get(`opt/site/${Buffer.from(name).toString("latin1")}`);
    const gone = ["gone/deep", "gone.txt", "reborn/old", "opaque/old", "opaque/sub", "links/one"];
    expect(gone.filter((name) => site(name) !== undefined)).toEqual([]);
    expect(site("opaque-late/old")).toBeUndefined();
    expect(tree.has("usr/share/lintian")).toBe(false);

    expect(site("becomes-dir")?.kind).toBe("dir");
    expect(site("becomes-link")).toMatchObject({ kind: "symlink", target: "sticky" });
    expect(site("becomes-file")).toMatchObject({ kind: "file", size: "now a file\n".length });
    expect(site("only-mode")?.mode).toBe("2750");
    expect(site("only-mode/inside")?.kind).toBe("file");
    expect(site("README")?.size).toBe("second edition\n".length);
    expect(site("reborn/same-name")?.sha256).toBe(site("late/again")?.sha256);
    expect(site("opaque/new")?.sha256).toBe(site("opaque-late/new")?.sha256);
    expect(site("twice")?.size).toBe("the last one wins\n".length);

    expect(site("three")?.hardLinkGroup).toBe("opt/site/links/two");
    expect(tree.get("usr/bin/busybox")?.hardLinkGroup).toBe("opt/site/linked-across");
    expect(site("linked-within")?.hardLinkGroup).toBe("opt/site/linked-within");
    expect(site("fraction")?.mtimeUs).toBe(EPOCH_SECONDS * 1_000_000 + 500_000);
    expect(site("setuid")?.mode).toBe("4755");
    expect(site("fifo")?.kind).toBe("fifo");
    expect(tree.get("dev/null")).toMatchObject({ kind: "char", device: "1:3" });
    expect(tree.has(`opt/site/${LATIN1_NAME.toString("latin1")}`)).toBe(true);
    expect(site("näme-ünïcode-名前-🙂")?.kind).toBe("file");
    expect(LONG_DIR.length).toBeGreaterThan(255);
    expect(tree.get(`${LONG_DIR}/file`)?.kind).toBe("file");
  });

  test("is unpacked alike by umoci as root and as an ordinary user", async () => {
    const { forms, tag, faithfulTree } = await debianImage();
    const faithful = faithfulTree();
    const dest = join(freshCacheDir("ordinary"), "unpacked");
    await umociUnpack({ layout: forms.ociLayoutPlain, tag }, { dest, rootless: true });
    const rootless = describeTree(dest);
    await runAsOrdinaryUser("chmod", ["-R", "u+rwX", dest]);

    // Rootless umoci makes empty files of devices.
    const devices = new Set(
      faithful.filter(({ kind }) => kind === "char" || kind === "block").map(({ path }) => path),
    );
    expect(devices.size).toBeGreaterThan(0);
    expect(
      diffTrees(asStaged(faithful, "ordinary"), asStaged(rootless, "ordinary"), {
        ignorePaths: (path) => devices.has(path),
        names: ["root's tree", "the rootless one"],
      }),
    ).toEqual([]);
  });
});

describe("the Nix image", () => {
  const test = testNeeding([...nixImageNeeds, "tar"]);

  test("is an archive with config and manifest at its end", async () => {
    const { archive, archiveGzip, imageId, diffIds } = await nixImage();
    const hashes = diffIds.map((id) => id.slice("sha256:".length));
    const members = [
      ...hashes.map((hash) => `${hash}/layer.tar`),
      `${imageId.slice("sha256:".length)}.json`,
      "manifest.json",
    ];
    expect(await listTar(["--file", archive])).toEqual(members);
    expect(await listTar(["--gzip", "--file", archiveGzip])).toEqual(members);
    expect(diffIds.length).toBe(new Set(diffIds).size + 1);
  });

  test("has layers with absolute names, directories that nobody may write to, and no times", async () => {
    const { archive, diffIds, shellPath } = await nixImage();
    const layer = `${diffIds[0]?.slice("sha256:".length)}/layer.tar`;
    const { stdout: input } = await execa("tar", ["-xOf", archive, "--occurrence=1", layer], {
      encoding: "buffer",
    });
    const listing = await execa(
      "tar",
      ["-tvf", "-", "--absolute-names", "--full-time", "--numeric-owner"],
      { input, env: { TZ: "UTC" } },
    );
    const lines = listing.stdout.split("\n").map((line) => line.split(/\s+/));
    expect(lines.slice(0, 3).map(([mode, , , , , name]) => [mode, name])).toEqual([
      ["dr-xr-xr-x", "/nix/"],
      ["dr-xr-xr-x", "/nix/store/"],
      ["dr-xr-xr-x", `${shellPath}/`],
    ]);
    expect(new Set(lines.map(([, , , date, time]) => `${date} ${time}`))).toEqual(
      new Set(["1970-01-01 00:00:01"]),
    );
  });

  test("is an image that skopeo accepts", async () => {
    const { archive, diffIds, imageId } = await nixImage();
    const { stdout } = await execa("skopeo", [
      ...["--insecure-policy", "inspect", "--raw", `docker-archive:${archive}`],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      config: { digest: imageId },
      layers: diffIds.map((digest) => ({ digest })),
    });
  });
});
