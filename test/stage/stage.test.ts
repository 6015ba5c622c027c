import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { StageOptions } from "../../src/stage/request.js";
import type { StageEvent } from "../../src/stage/result.js";
import { stageRootfs } from "../../src/stage.js";
import { locksIn } from "../support/cache.js";
import { writeFiles } from "../support/file-set.js";
import { configDocument, json } from "../support/image-parts.js";
import {
  directory,
  file,
  type LayerEntry,
  packLayer,
  sha256,
  symlink,
  whiteout,
} from "../support/layers.js";
import { configType, LayoutBuilder, layerType, manifestType } from "../support/oci-layout.js";
import { rejection } from "../support/refusal.js";
import { workDone } from "../support/same-thread-workers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";
import { contents, inodeOf, modeOf, pathsBelow } from "../support/tree-contents.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

const base: readonly LayerEntry[] = [directory("etc"), file("etc/hosts", "image's own"), file("a")];
const top: readonly LayerEntry[] = [
  whiteout("a"),
  file("b", "bb"),
  file("su", "", { mode: 0o4755 }),
];

beforeEach(() => {
  workDone.unpack = 0;
  workDone.assemble = 0;
});

function freshCache(): string {
  return `${scratchDirectory()}/cache`;
}

function under(cacheDir: string, name: string): readonly string[] {
  return readdirSync(`${cacheDir}/v1/${name}`);
}

function expectNothingUnderWay(cacheDir: string): void {
  expect([...under(cacheDir, "tmp"), ...locksIn(`${cacheDir}/v1/locks`)]).toEqual([]);
}

async function stage(image: string, cacheDir: string, options: StageOptions = {}) {
  return await stageRootfs(image, { cacheDir, ...options });
}

describe("an image that is not in the cache", () => {
  test("is staged, and the result says all of it", async () => {
    const cacheDir = freshCache();
    const config = { Env: ["A=1"], Cmd: ["/b"], WorkingDir: "work" };
    const image = archiveFile([base, top], { config });
    const result = await stage(image, cacheDir);
    expect(contents(result.rootfs)).toMatchObject({
      b: "bb",
      "etc/hosts": "image's own",
      work: "/",
    });
    expect(contents(result.rootfs)).not.toHaveProperty("a");
    expect(result).toMatchObject({
      schemaVersion: 1,
      rootfs: `${cacheDir}/v1/rootfs/${result.key}/rootfs`,
      key: result.imageId.replace(":", "-"),
      manifestDigest: null,
      reference: image,
      hit: false,
      lease: `process-${process.pid}`,
      config: { env: ["A=1"], cmd: ["/b"], workingDir: "/work", entrypoint: null },
      layers: [
        { diffId: sha256(packLayer(base)), unpackedSize: 12, reused: false },
        { diffId: sha256(packLayer(top)), unpackedSize: 2, reused: false },
      ],
      warnings: [{ code: "SETUID_STRIPPED", count: 1, examples: ["su"] }],
      bytes: { fetched: 0, written: 14, reused: 0 },
    });
    expect(result.bytes.read).toBe(packLayer(base).length + packLayer(top).length);
    expect(result.mountPoints).toContainEqual({
      target: "/etc/hosts",
      path: "/etc/hosts",
      kind: "file",
      created: false,
    });
    expect(result.mountPoints).toContainEqual({
      target: "/work",
      path: "/work",
      kind: "dir",
      created: true,
    });
    expectNothingUnderWay(cacheDir);
  });

  test("has its largest layer unpacked first, so that none is left for last", async () => {
    const sizes = { small: 1000, large: 300_000, medium: 20_000 };
    const layers = Object.entries(sizes).map(([name, size]) => [file(name, "x".repeat(size))]);
    const order: string[] = [];
    const onEvent = (event: StageEvent) => {
      if (event.type === "layer" && event.state === "unpacking") order.push(event.diffId);
    };
    const staged = await stage(archiveFile(layers), freshCache(), { onEvent });
    const [small, large, medium] = staged.layers.map(({ diffId }) => diffId);
    expect(order).toEqual([large, medium, small]);
  });

  test("tells what happens, in order", async () => {
    const events: StageEvent[] = [];
    const onEvent = (event: StageEvent) => events.push(event);
    await stage(archiveFile([base]), freshCache(), { onEvent });
    expect(events.map((e) => (e.type === "layer" ? e.state : e.type))).toEqual([
      "unpacking",
      "unpacked",
      "assembling",
    ]);
  });

  test("of no layers is an empty directory with mount points", async () => {
    const result = await stage(archiveFile([]), freshCache());
    expect(result.layers).toEqual([]);
    expect(contents(result.rootfs)).toMatchObject({ proc: "/", "etc/passwd": "" });
  });

  test("with layers compressed otherwise than their media types say is staged all the same", async () => {
    const layout = new LayoutBuilder();
    const layers = [base, top].map((entries) => packLayer(entries));
    const [lower, upper] = layers;
    if (!lower || !upper) throw new Error("two layers were packed");
    const image = {
      schemaVersion: 2,
      config: layout.blob(configDocument({ layers }), configType),
      layers: [
        layout.blob(lower, `${layerType}+gzip`),
        layout.blob(gzipSync(upper), `${layerType}+zstd`),
      ],
    };
    const files = layout.finish(layout.blob(json(image), manifestType));
    const path = writeFiles(`${scratchDirectory()}/layout`, files);
    const { rootfs } = await stage(path, freshCache());
    expect(contents(rootfs)).toMatchObject({ b: "bb", "etc/hosts": "image's own" });
  });

  test("with a layer that comes twice unpacks it once", async () => {
    const result = await stage(archiveFile([base, top, base]), freshCache());
    expect(workDone).toEqual({ unpack: 2, assemble: 1 });
    expect(result.layers.map(({ reused }) => reused)).toEqual([false, false, false]);
    expect(result.bytes.written).toBe(14);
    expect(contents(result.rootfs)).toHaveProperty("a");
  });

  test("shares the layers that the cache has already", async () => {
    const cacheDir = freshCache();
    const first = await stage(archiveFile([base]), cacheDir);
    const second = await stage(archiveFile([base, top]), cacheDir);
    expect(workDone).toEqual({ unpack: 2, assemble: 2 });
    expect(second.layers.map(({ reused }) => reused)).toEqual([true, false]);
    expect(second.bytes).toMatchObject({ reused: 12, written: 2 });
    expect(inodeOf(second.rootfs, "etc/hosts")).toBe(inodeOf(first.rootfs, "etc/hosts"));
  });

  test("has no setgid directories where the cache's own group is inherited", async () => {
    const parent = scratchDirectory();
    chmodSync(parent, 0o2755);
    const { rootfs } = await stage(archiveFile([base]), `${parent}/cache`);
    const inherited = pathsBelow(rootfs).filter((path) => (modeOf(rootfs, path) & 0o6000) !== 0);
    expect(inherited).toEqual([]);
  });
});

describe("an image that is in the cache", () => {
  test("is a hit, and nothing is unpacked", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base, top]);
    const cold = await stage(image, cacheDir);
    const warm = await stage(image, cacheDir);
    expect(workDone).toEqual({ unpack: 2, assemble: 1 });
    expect(warm).toMatchObject({ hit: true, rootfs: cold.rootfs, key: cold.key });
    expect(warm.layers.map(({ reused }) => reused)).toEqual([true, true]);
    expect(warm.mountPoints).toEqual(cold.mountPoints);
    expect(warm.config).toEqual(cold.config);
    expect(warm.warnings).toEqual(cold.warnings);
    expect(warm.bytes).toEqual({ read: 0, fetched: 0, written: 0, reused: 14 });
  });

  test("is a hit from another file too", async () => {
    const cacheDir = freshCache();
    const cold = await stage(archiveFile([base]), cacheDir);
    const copy = await stage(archiveFile([base], { tags: ["other:tag"] }), cacheDir);
    expect(copy).toMatchObject({ hit: true, key: cold.key });
    expect(workDone.unpack).toBe(1);
  });

  test("is read again when the file has changed", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    await stage(image, cacheDir);
    writeFileSync(image, readFileSync(archiveFile([top])));
    const changed = await stage(image, cacheDir);
    expect(changed.hit).toBe(false);
    expect(contents(changed.rootfs)).toHaveProperty("b");
  });

  test("is no hit when the file is damaged afterwards", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    await stage(image, cacheDir);
    writeFileSync(image, "no archive any more");
    expect((await rejection(stage(image, cacheDir))).exitStatus).toBe(65);
  });

  test.each(["", "{", "null", '{"schemaVersion":1}'])(
    "is put together again from its layers when its entry reads %j",
    async (text) => {
      const cacheDir = freshCache();
      const image = archiveFile([base]);
      const { rootfs } = await stage(image, cacheDir);
      writeFileSync(`${rootfs}/../entry.json`, text);
      const again = await stage(image, cacheDir);
      expect(again).toMatchObject({ hit: false, rootfs });
      expect(workDone).toEqual({ unpack: 1, assemble: 2 });
      expect(contents(rootfs)).toMatchObject({ a: "a" });
      expectNothingUnderWay(cacheDir);
    },
  );

  test("has an entry for each policy", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([top]);
    const plain = await stage(image, cacheDir);
    const kept = await stage(image, cacheDir, { keepSetuid: true });
    expect(kept.key).toBe(`${plain.key}-setuid`);
    expect([modeOf(plain.rootfs, "su"), modeOf(kept.rootfs, "su")]).toEqual([0o755, 0o4755]);
    expect(kept.warnings).toEqual([]);
  });
});

describe("mount points", () => {
  const dir = (target: string) => ({ target, kind: "dir" }) as const;
  const plainFile = (target: string) => ({ target, kind: "file" }) as const;

  test("that are asked for later are added to the same entry", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    const first = await stage(image, cacheDir, { mounts: [dir("/data")] });
    const second = await stage(image, cacheDir, { mounts: [plainFile("/in/file")] });
    const third = await stage(image, cacheDir, { mounts: [plainFile("/in/file"), dir("/data")] });
    expect(new Set([first.key, second.key, third.key]).size).toBe(1);
    expect([first.hit, second.hit, third.hit]).toEqual([false, true, true]);
    expect(contents(first.rootfs)).toMatchObject({ data: "/", "in/file": "" });
    expect(second.mountPoints.map(({ target }) => target)).not.toContain("/data");
    expect(workDone.assemble).toBe(1);
  });

  test("of another kind than the image has give a second entry, and leave the first", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    const plain = await stage(image, cacheDir);
    const before = contents(plain.rootfs);
    const variant = await stage(image, cacheDir, { mounts: [dir("/a")] });
    expect(variant.key).toMatch(new RegExp(`^${plain.key}-mounts-[0-9a-f]{16}$`));
    expect(contents(variant.rootfs)).toMatchObject({ a: "/" });
    expect(contents(plain.rootfs)).toEqual(before);
    expect(workDone).toEqual({ unpack: 1, assemble: 2 });
    const again = await stage(image, cacheDir, { mounts: [dir("/a")] });
    expect(again).toMatchObject({ key: variant.key, hit: true });
  });

  test("that two jobs want of different kinds give each an entry", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    const one = await stage(image, cacheDir, { mounts: [dir("/new")] });
    const other = await stage(image, cacheDir, { mounts: [plainFile("/new")] });
    expect(other.key).not.toBe(one.key);
    expect([contents(one.rootfs)["new"], contents(other.rootfs)["new"]]).toEqual(["/", ""]);
  });

  test.each([
    ["missing", [dir("/x"), plainFile("/x")]],
    ["a file of the image", [dir("/a"), plainFile("/a")]],
    ["a directory of the image", [dir("/etc"), plainFile("/etc")]],
    ["a file, and what lies below it", [plainFile("/a"), dir("/a/b")]],
  ])("that exclude each other are refused, the place being %s", async (_, mounts) => {
    const cacheDir = freshCache();
    const error = await rejection(stage(archiveFile([base]), cacheDir, { mounts }));
    expect(error.code).toBe("USAGE");
    expectNothingUnderWay(cacheDir);
  });

  test("are resolved inside the rootfs", async () => {
    const links = [symlink("data", "/srv/data"), directory("srv/data"), symlink("run", "/")];
    const mounts = [dir("/data/in")];
    const { rootfs, mountPoints } = await stage(archiveFile([links]), freshCache(), { mounts });
    expect(mountPoints).toContainEqual({
      target: "/data/in",
      path: "/srv/data/in",
      kind: "dir",
      created: true,
    });
    expect(mountPoints).toContainEqual({
      target: "/run",
      path: "/run",
      kind: "dir",
      created: true,
    });
    expect(contents(rootfs)).toMatchObject({ "srv/data/in": "/", run: "/" });
  });
});

describe("an image that can't be staged", () => {
  test("leaves no rootfs and nothing under way, keeps good layers, and fails the same again", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base, top], {
      stored: [packLayer(base), packLayer([file("other")])],
    });
    const error = await rejection(stage(image, cacheDir));
    expect(error.code).toBe("DIGEST_MISMATCH");
    expect(error.message).toContain(sha256(packLayer(top)));
    expect(under(cacheDir, "rootfs")).toEqual([]);
    expectNothingUnderWay(cacheDir);
    const again = await rejection(stage(image, cacheDir));
    expect([again.code, again.message]).toEqual([error.code, error.message]);
    expectNothingUnderWay(cacheDir);
  });

  test("because of a hard link to nothing leaves no rootfs either", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([[{ type: "1", name: "h", linkName: "nothing" }]]);
    expect((await rejection(stage(image, cacheDir))).code).toBe("IMAGE_INVALID");
    expect(under(cacheDir, "rootfs")).toEqual([]);
    expectNothingUnderWay(cacheDir);
  });

  test("because it is missing makes that plain", async () => {
    const path = `${scratchDirectory()}/missing.tar`;
    const error = await rejection(stage(path, freshCache()));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain(path);
  });

  test("because it is for another platform says so", async () => {
    const image = archiveFile([base], { architecture: "s390x" });
    const error = await rejection(stage(image, freshCache(), { platform: "linux/amd64" }));
    expect(error.message).toContain("s390x");
  });

  test("into a cache that others can write to is refused before anything is done", async () => {
    const cacheDir = freshCache();
    mkdirSync(cacheDir);
    chmodSync(cacheDir, 0o777);
    expect((await rejection(stage(archiveFile([base]), cacheDir))).code).toBe("CACHE_UNTRUSTED");
    expect(readdirSync(cacheDir)).toEqual([]);
  });

  test("because it was stopped says what stopped it, and leaves nothing under way", async () => {
    const cacheDir = freshCache();
    const controller = new AbortController();
    const reason = new Error("enough");
    const onEvent = (event: StageEvent) => {
      if (event.type === "layer" && event.state === "unpacked") controller.abort(reason);
    };
    const options = { signal: controller.signal, onEvent };
    await expect(stage(archiveFile([base, top]), cacheDir, options)).rejects.toBe(reason);
    expect(under(cacheDir, "rootfs")).toEqual([]);
    expectNothingUnderWay(cacheDir);
    expect((await stage(archiveFile([base, top]), cacheDir)).hit).toBe(false);
  });

  test("because it was stopped before does nothing", async () => {
    const cacheDir = freshCache();
    const signal = AbortSignal.abort(new Error("before"));
    await expect(stage(archiveFile([base]), cacheDir, { signal })).rejects.toThrow("before");
    expect(statSync(cacheDir, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("because it was cut off says which file", async () => {
    const cacheDir = freshCache();
    const image = archiveFile([base]);
    writeFileSync(image, readFileSync(image).subarray(0, 2100));
    const error = await rejection(stage(image, cacheDir));
    expect(error.exitStatus).toBe(65);
    expect(error.message).toContain(image);
    appendFileSync(image, "garbage");
    expect((await rejection(stage(image, cacheDir))).exitStatus).toBe(65);
  });
});
