import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { entryFile } from "../../../src/cache/entry.js";
import { CacheLayout } from "../../../src/cache/layout.js";
import { planCreation } from "../../../src/mountpoints/create.js";
import { parseMountRequest } from "../../../src/mountpoints/requests.js";
import type { StageOptions } from "../../../src/stage/request.js";
import type { VerifyEvent } from "../../../src/stage/verify/result.js";
import { type VerifyOptions, verifyCache } from "../../../src/stage/verify/verify.js";
import { stageRootfs } from "../../../src/stage.js";
import { directory, file, hardLink, type LayerEntry, symlink } from "../../support/layers.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const base: readonly LayerEntry[] = [
  directory("etc"),
  file("etc/hosts", "image's own"),
  symlink("etc/resolv.conf", "../nowhere"),
  file("a"),
];
const top: readonly LayerEntry[] = [file("b", "bb"), hardLink("c", "a"), file("plain", "p")];

interface StagedCache {
  readonly cacheDir: string;
  readonly image: string;
  readonly layout: CacheLayout;
  readonly key: string;
  readonly rootfs: string;
  /** Names of its layers, the base first. */
  readonly layers: readonly string[];
}

async function staged(
  layers: readonly (readonly LayerEntry[])[] = [base, top],
  options: StageOptions = {},
): Promise<StagedCache> {
  const cacheDir = `${scratchDirectory()}/cache`;
  const image = archiveFile(layers);
  const {
    key,
    rootfs,
    layers: made,
  } = await stageRootfs(image, {
    cacheDir,
    lease: "none",
    ...options,
  });
  const names = made.map(({ diffId }) => diffId.replace(":", "-"));
  return { cacheDir, image, layout: new CacheLayout(cacheDir), key, rootfs, layers: names };
}

async function verified({ cacheDir }: StagedCache, options: VerifyOptions = { all: true }) {
  return await verifyCache({ cacheDir, ...options });
}

/** `layer 0 etc/hosts CONTENT` */
async function differences(cache: StagedCache, options?: VerifyOptions) {
  const { findings } = await verified(cache, options);
  return findings.map((found) => {
    const place = found.in === "layer" ? `layer ${cache.layers.indexOf(found.name)}` : found.in;
    return `${place} ${found.path} ${found.code}`;
  });
}

describe("an entry as it was staged", () => {
  const deep = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(200, "d")).join("/");

  test.each<[string, readonly (readonly LayerEntry[])[], StageOptions]>([
    ["of 127 layers", Array.from({ length: 127 }, (_, i) => [file(`f${i}`), file("same")]), {}],
    ["with names that are not UTF-8", [[file("\xff\n\x01/\xfe"), symlink("\xfd", "\xff\n")]], {}],
    ["with paths beyond PATH_MAX", [[file(`${deep}/f`)], [file(`${deep}/g`)]], {}],
    ["with a layer that comes twice", [base, top, base], {}],
    ["with mount points of its own", [base], { mounts: [{ target: "/x/y", kind: "file" }] }],
    ["with other kinds of mount points", [base], { mounts: [{ target: "/a/b", kind: "dir" }] }],
    [
      "with links in the way",
      [[file("f"), symlink("l", "/no")]],
      { mounts: [{ target: "/l/x", kind: "dir" }] },
    ],
    ["known by SHA-256", [base, top], { fileDigests: "sha256" }],
  ])("%s has no difference", { timeout: 30_000 }, async (_, layers, options) => {
    const cache = await staged(layers, options);
    const found = await verified(cache);
    expect(found).toMatchObject({ intact: true, repaired: false, findings: [] });
    expect(found.entries.map(({ state }) => state)).not.toContain("damaged");
    expect(found.checked.files).toBeGreaterThan(0);
  });

  test("has none when mount points were added later", async () => {
    const cache = await staged();
    const mounts = [{ target: "/later/on", kind: "dir" } as const];
    await stageRootfs(cache.image, { cacheDir: cache.cacheDir, mounts, lease: "none" });
    expect(await differences(cache)).toEqual([]);
  });

  test("without listings is compared with its layers, and that is said", async () => {
    const cache = await staged();
    for (const name of cache.layers) {
      const path = `${cache.layout.layer(name)}/layer.json`;
      const { listing: _, ...record } = JSON.parse(readFileSync(path, "utf8"));
      writeFileSync(path, JSON.stringify(record));
    }
    const found = await verified(cache);
    expect(found).toMatchObject({ intact: true, checked: { files: 0 } });
    expect(found.layers.map(({ digests }) => digests)).toEqual(["missing", "missing"]);
    unlinkSync(`${cache.rootfs}/b`);
    expect(await differences(cache)).toEqual(["rootfs b MISSING"]);
  });
});

describe("mount points whose making was broken off", () => {
  /** An entry with a record of what is about to be made: a directory, and a file for a link. */
  async function begun() {
    const cache = await staged([base, [...top, symlink("gone", "nowhere")]]);
    const requests = ["/d/e:dir", "/gone:file"].map(parseMountRequest);
    const { places, mountPoints } = planCreation(cache.rootfs, {
      requests,
      mayReplace: () => false,
    });
    const path = entryFile(cache.layout.entry(cache.key));
    const entry = JSON.parse(readFileSync(path, "utf8"));
    entry.details.planned = { places, mountPoints };
    writeFileSync(path, JSON.stringify(entry));
    return cache;
  }

  const stages: readonly [string, (rootfs: string) => void][] = [
    ["nothing is made", () => undefined],
    ["a directory has neither its mode nor its time", (r) => mkdirSync(`${r}/d`, { mode: 0o700 })],
    ["a part is made", (r) => mkdirSync(`${r}/d/e`, { recursive: true })],
    ["what was in the way is removed", (r) => unlinkSync(`${r}/gone`)],
    [
      "a file has taken its place",
      (r) => {
        unlinkSync(`${r}/gone`);
        writeFileSync(`${r}/gone`, "", { mode: 0o600 });
      },
    ],
  ];

  test.each(stages)("are no damage, and finished with the next: %s", async (_, make) => {
    const cache = await begun();
    make(cache.rootfs);
    expect(await differences(cache)).toEqual([]);
    const mounts = [{ target: "/later", kind: "dir" } as const];
    const { cacheDir, image, rootfs } = cache;
    await stageRootfs(image, { cacheDir, mounts, lease: "none" });
    expect(await differences(cache)).toEqual([]);
    expect([lstatSync(`${rootfs}/d/e`).mode, lstatSync(`${rootfs}/gone`).mode]).toEqual([
      0o40755, 0o100644,
    ]);
    const known = [{ target: "/d/e", kind: "dir" } as const];
    const again = await stageRootfs(image, { cacheDir, mounts: known, lease: "none" });
    expect(again).toMatchObject({ hit: true });
    expect(again.mountPoints).toContainEqual({ ...known[0], path: "/d/e", created: true });
    const entry = readFileSync(entryFile(cache.layout.entry(cache.key)), "utf8");
    expect(JSON.parse(entry).details).not.toHaveProperty("planned");
  });

  test.each<[string, (rootfs: string) => void, readonly string[]]>([
    ["a file in a place", (r) => writeFileSync(`${r}/d/e/x`, ""), ["rootfs d/e/x ADDED"]],
    ["a file beside it", (r) => writeFileSync(`${r}/d/x`, ""), ["rootfs d/x ADDED"]],
    ["a file in the rootfs", (r) => writeFileSync(`${r}/x`, ""), ["rootfs x ADDED"]],
    ["what the image has", (r) => unlinkSync(`${r}/b`), ["rootfs b MISSING"]],
    [
      "something else in its place",
      (r) => {
        rmSync(`${r}/d`, { recursive: true });
        symlinkSync("/", `${r}/d`);
      },
      ["rootfs d ADDED"],
    ],
  ])("explain nothing else: %s", async (_, change, expected) => {
    const cache = await begun();
    mkdirSync(`${cache.rootfs}/d/e`, { recursive: true });
    change(cache.rootfs);
    expect(await differences(cache)).toEqual(expected);
  });
});

describe("what is damaged beside the trees", () => {
  test.each<[string, (cache: StagedCache) => void, readonly string[]]>([
    [
      "a layer's record",
      ({ layout, layers }) => writeFileSync(`${layout.layer(layers[0] ?? "")}/layer.json`, "{}"),
      ["layer 0  RECORD"],
    ],
    [
      "a layer's listing",
      ({ layout, layers }) => unlinkSync(`${layout.layer(layers[1] ?? "")}/listing`),
      ["layer 1  RECORD"],
    ],
    [
      "a layer's digests",
      ({ layout, layers }) => writeFileSync(`${layout.layer(layers[1] ?? "")}/digests`, "12345678"),
      ["layer 1  RECORD"],
    ],
    [
      "a layer that is gone",
      ({ layout, layers }) => rmSync(layout.layer(layers[0] ?? ""), { recursive: true }),
      ["layer 0  MISSING"],
    ],
    [
      "a layer's tree",
      ({ layout, layers }) => rmSync(`${layout.layer(layers[0] ?? "")}/tree`, { recursive: true }),
      ["layer 0  MISSING"],
    ],
    [
      "an entry's record",
      ({ layout, key }) => writeFileSync(`${layout.entry(key)}/entry.json`, "[]"),
      ["rootfs  RECORD"],
    ],
    ["an entry's rootfs", ({ rootfs }) => rmSync(rootfs, { recursive: true }), ["rootfs  MISSING"]],
  ])("%s is named", async (_, damage, expected) => {
    const cache = await staged();
    damage(cache);
    expect(await differences(cache)).toEqual(expected);
    const { findings } = await verified(cache, { images: [cache.key] });
    expect(findings).toHaveLength(expected.length);
  });
});

describe("a check", () => {
  test("of a sample reads as many files as that, the same by the same seed", async () => {
    const cache = await staged([Array.from({ length: 400 }, (_, i) => file(`f${i}`))]);
    const options = { all: true, sample: 25 };
    const found = await verified(cache, options);
    expect(found.checked.files).toBeGreaterThan(50);
    expect(found.checked.files).toBeLessThan(160);
    for (let i = 0; i < 400; i++) writeFileSync(`${cache.rootfs}/f${i}`, "F");
    const seed = found.sample?.seed;
    const first = await differences(cache, { ...options, seed });
    expect(await differences(cache, { ...options, seed })).toEqual(first);
  });

  test("that is cancelled ends with the reason", async () => {
    const cache = await staged();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(verified(cache, { all: true, signal })).rejects.toThrow("enough");
  });

  test("says what it looks at", async () => {
    const cache = await staged();
    const events: VerifyEvent[] = [];
    await verified(cache, { all: true, onEvent: (event) => events.push(event) });
    expect(events.map((event) => event.type === "checking" && event.in)).toEqual([
      "layer",
      "layer",
      "rootfs",
    ]);
  });

  test.for(["layer", "rootfs"] as const)(
    "finds an entry gone that is removed while its %s is looked at",
    async (part) => {
      const cache = await staged();
      const found = await verified(cache, {
        all: true,
        onEvent: (event) => {
          if (event.type !== "checking" || event.in !== part) return;
          rmSync(cache.layout.entry(cache.key), { recursive: true, force: true });
        },
      });
      expect(found).toMatchObject({ intact: true, entries: [{ key: cache.key, state: "gone" }] });
    },
  );

  test("looks again at a layer that was removed and made anew meanwhile", async () => {
    const cache = await staged();
    rmSync(cache.layout.entry(cache.key), { recursive: true });
    const [name = ""] = cache.layers;
    const layer = cache.layout.layer(name);
    let looks = 0;
    const found = await verified(cache, {
      all: true,
      onEvent: (event) => {
        if (event.type !== "checking" || event.name !== name) return;
        if (++looks > 1) return;
        renameSync(layer, `${cache.cacheDir}/aside`);
        queueMicrotask(() => execFileSync("cp", ["-a", `${cache.cacheDir}/aside`, layer]));
      },
    });
    expect(looks).toBe(2);
    expect(found).toMatchObject({ intact: true });
    expect(found.layers).toContainEqual(expect.objectContaining({ name, state: "intact" }));
  });

  test("of what is not there is an error", async () => {
    const cache = await staged();
    expect(await rejection(verified(cache, { images: ["nothing.tar"] }))).toMatchObject({
      code: "NOT_FOUND",
    });
    const cacheDir = `${scratchDirectory()}/none`;
    expect(await rejection(verifyCache({ cacheDir, all: true }))).toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await rejection(verified(cache, { all: true, sample: 101 }))).toMatchObject({
      code: "USAGE",
    });
  });
});

describe("a repair", () => {
  async function damaged(): Promise<StagedCache> {
    const cache = await staged();
    writeFileSync(`${cache.rootfs}/b`, "BB");
    return cache;
  }

  test("stages anew what has its source", async () => {
    const cache = await damaged();
    const found = await verified(cache, { all: true, repair: true });
    expect(found).toMatchObject({ intact: false, repaired: true });
    expect(found.entries).toMatchObject([{ key: cache.key, repair: "restaged" }]);
    expect(readFileSync(`${cache.rootfs}/b`, "utf8")).toBe("bb");
    expect(await differences(cache)).toEqual([]);
  });

  test("drops what has none, or another image in its place", async () => {
    for (const replace of [
      (image: string) => unlinkSync(image),
      (image: string) => writeFileSync(image, readFileSync(archiveFile([[file("other")]]))),
    ]) {
      const cache = await damaged();
      replace(cache.image);
      const found = await verified(cache, { all: true, repair: true });
      expect(found.entries).toMatchObject([{ repair: "dropped" }]);
      expect(existsSync(cache.layout.entry(cache.key))).toBe(false);
      expect(await verified(cache)).toMatchObject({ intact: true, entries: [] });
    }
  });

  test("leaves what is in use as it is", async () => {
    const cache = await damaged();
    await stageRootfs(cache.image, { cacheDir: cache.cacheDir, lease: "process" });
    const found = await verified(cache, { all: true, repair: true });
    expect(found).toMatchObject({ repaired: false, entries: [{ repair: "leased" }] });
    expect(readFileSync(`${cache.rootfs}/b`, "utf8")).toBe("BB");
  });

  test("changes nothing where there is no damage", async () => {
    const cache = await staged();
    const found = await verified(cache, { all: true, repair: true });
    expect(found).toMatchObject({ intact: true, repaired: false, entries: [{ repair: null }] });
  });
});
