import {
  chmodSync,
  cpSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { array, boolean, type InferOutput, number, object, parse, string } from "valibot";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { stage } from "./support/staged.js";

const verificationSchema = object({
  schemaVersion: number(),
  intact: boolean(),
  entries: array(object({ key: string(), state: string() })),
  layers: array(object({ name: string(), state: string(), digests: string() })),
  findings: array(object({ code: string(), in: string(), name: string(), path: string() })),
  checked: object({ paths: number(), files: number(), bytes: number(), unreadable: number() }),
});

const repairedSchema = object({ entries: array(object({ repair: string() })) });

type Verification = InferOutput<typeof verificationSchema> & { exitCode: number | undefined };

async function verify(args: readonly string[], options: RunOptions): Promise<Verification> {
  const { exitCode, stdout, stderr } = await stageRootfs(["verify", "--json", ...args], options);
  if (stdout === "") throw new Error(`exit status ${exitCode}: ${stderr}`);
  return { ...parse(verificationSchema, JSON.parse(stdout)), exitCode };
}

/** `layer usr/bin/x CONTENT`, sorted. */
function brief({ findings }: Verification): readonly string[] {
  return findings.map((found) => `${found.in} ${found.path} ${found.code}`).sort();
}

/** Does something to a file, and gives it and its directory back their times. */
function unnoticed(path: string, change: (path: string) => void): void {
  const [before, parent] = [lstatSync(path), lstatSync(dirname(path))];
  change(path);
  lutimesSync(path, before.atime, before.mtime);
  utimesSync(dirname(path), parent.atime, parent.mtime);
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

/** Puts a copy in a file's place, so that a change is one of this name only. */
function detach(path: string): void {
  cpSync(path, `${path}.new`, { preserveTimestamps: true });
  const { mode, uid, gid } = lstatSync(path);
  lchownSync(`${path}.new`, uid, gid);
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}

function retarget(path: string): void {
  const { uid, gid } = lstatSync(path);
  unlinkSync(path);
  symlinkSync("elsewhere", path);
  lchownSync(path, uid, gid);
}

describe.each(["root", "ordinary"] as const)("verify as %s", (as) => {
  const test = testNeeding([...debianImageNeeds, ...(as === "root" ? (["root"] as const) : [])]);

  test("finds nothing in what was staged, whatever it is named by", async () => {
    const { forms } = await debianImage();
    const cache = freshCacheDir(as);
    const where = ["--cache-dir", cache];
    const image = forms.dockerArchive;
    const { key, rootfs } = await stage([image, ...where, "--mount", "/new/place"], { as });
    for (const args of [[image], [key], [rootfs, "--sample", "20%"]]) {
      const found = await verify([...args, ...where], { as });
      expect(found).toMatchObject({ exitCode: 0, intact: true, findings: [] });
      expect(found.entries).toEqual([{ key, state: "intact" }]);
      expect(found.checked.files).toBeGreaterThan(100);
    }
    const { stdout } = await stageRootfs(["verify", "--all", ...where], { as });
    expect(stdout).toMatch(
      /^1 entry, \d+ layers, \d+ names; \d+ files read, .*\nnothing differs\n$/,
    );
  });

  test("finds each damage, names it, and names nothing else", async () => {
    const { forms, diffIds } = await debianImage();
    const cache = freshCacheDir(as);
    const where = ["--cache-dir", cache];
    const { rootfs } = await stage([forms.ociLayoutGzip, ...where], { as });
    const tree = join(cache, "v1/layers", (diffIds[0] ?? "").replace(":", "-"), "tree");

    unnoticed(`${tree}/usr/bin/dpkg`, flip);
    unnoticed(`${tree}/usr/bin/tar`, (path) => truncateSync(path, 1000));
    unlinkSync(`${tree}/usr/bin/tac`);
    chmodSync(`${tree}/usr/bin/cat`, 0o644);
    writeFileSync(`${tree}/usr/sbin/added`, "");
    unnoticed(`${tree}/usr/bin/awk`, retarget);
    unlinkSync(`${rootfs}/usr/bin/sort`);
    writeFileSync(`${rootfs}/usr/lib/added`, "");
    chmodSync(`${rootfs}/etc/apt`, 0o700);
    lchownSync(`${rootfs}/etc/dpkg`, lstatSync(rootfs).uid, 4712);
    unnoticed(`${rootfs}/usr/bin/head`, (path) => {
      detach(path);
      flip(path);
    });
    unnoticed(`${rootfs}/usr/bin/tail`, (path) => {
      unlinkSync(path);
      linkSync(`${rootfs}/usr/bin/wc`, path);
    });
    unnoticed(`${rootfs}/usr/bin/nl`, detach);

    const found = await verify(["--all", ...where], { as });
    expect(brief(found)).toEqual([
      "layer usr/bin/awk TARGET",
      "layer usr/bin/cat MODE",
      "layer usr/bin/dpkg CONTENT",
      "layer usr/bin/tac MISSING",
      "layer usr/bin/tar CONTENT",
      "layer usr/sbin/added ADDED",
      "rootfs etc/apt MODE",
      "rootfs etc/dpkg OWNER",
      "rootfs usr/bin/head CONTENT",
      "rootfs usr/bin/nl LINK",
      "rootfs usr/bin/sort MISSING",
      "rootfs usr/bin/tail LINK",
      "rootfs usr/lib/added ADDED",
    ]);
    expect(found).toMatchObject({ exitCode: 65, intact: false });
    expect(found.entries.map(({ state }) => state)).toEqual(["damaged"]);
    expect(found.layers.filter(({ state }) => state === "damaged")).toHaveLength(1);

    const { stdout, stderr } = await stageRootfs(["verify", rootfs, ...where], { as });
    expect(stdout).toContain("usr/bin/dpkg: content differs (CONTENT)\n");
    expect(stderr).toMatch(/^stage-rootfs: the cache is damaged: 13 differences/);
  });
});

describe("what is damaged", () => {
  const test = testNeeding(debianImageNeeds);
  const as = "ordinary";

  test("is staged again from where it came, or dropped, but not while it is in use", async () => {
    const { forms, diffIds } = await debianImage();
    const cache = freshCacheDir(as);
    const where = ["--cache-dir", cache];
    const staged = await stage([forms.dockerArchive, ...where, "--lease", "none"], { as });
    const layer = join(cache, "v1/layers", (diffIds[0] ?? "").replace(":", "-"));
    const damage = () => unnoticed(`${layer}/tree/usr/bin/dpkg`, flip);
    const repair = async () => {
      const { exitCode, stdout } = await stageRootfs(
        ["verify", "--all", "--repair", "--json", ...where],
        { as },
      );
      const { entries } = parse(repairedSchema, JSON.parse(stdout));
      return { exitCode, repair: entries.map((entry) => entry.repair) };
    };
    damage();
    expect(await repair()).toEqual({ exitCode: 0, repair: ["restaged"] });
    expect(await verify(["--all", ...where], { as })).toMatchObject({ exitCode: 0, findings: [] });
    damage();
    await stage([forms.dockerArchive, ...where, "--lease", "1h"], { as });
    const inode = lstatSync(`${staged.rootfs}/usr/bin/dpkg`).ino;
    expect(await repair()).toEqual({ exitCode: 65, repair: ["leased"] });
    expect(lstatSync(`${staged.rootfs}/usr/bin/dpkg`).ino).toBe(inode);
    await stageRootfs(["release", "--all", ...where], { as });
    expect(await repair()).toEqual({ exitCode: 0, repair: ["restaged"] });
    expect(await verify(["--all", ...where], { as })).toMatchObject({ exitCode: 0, findings: [] });
  });
});

describe("files that are known by", () => {
  const test = testNeeding(debianImageNeeds);
  const as = "ordinary";

  test.each(["sha256", "none"])("%s", async (digests) => {
    const { forms, diffIds } = await debianImage();
    const cache = freshCacheDir(as);
    const where = ["--cache-dir", cache];
    await stage([forms.ociLayoutGzip, ...where, "--file-digests", digests], { as });
    const tree = join(cache, "v1/layers", (diffIds[0] ?? "").replace(":", "-"), "tree");
    expect(await verify(["--all", ...where], { as })).toMatchObject({ exitCode: 0, findings: [] });
    unnoticed(`${tree}/usr/bin/dpkg`, flip);
    const expected = digests === "none" ? [] : ["layer usr/bin/dpkg CONTENT"];
    expect(brief(await verify(["--all", ...where], { as }))).toEqual(expected);
  });
});
