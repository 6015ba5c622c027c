import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, inject, onTestFinished } from "vitest";
import { dockerArchiveOf } from "../support/docker-archive.js";
import { writeArchive } from "../support/file-set.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { type Need, type Skippable, testNeeding } from "./support/programs.js";
import { contents, type Staged, stage, stagedBy } from "./support/staged.js";

const needs: readonly Need[] = ["bsdtar", "getfattr", "tar"];
const attributeTest = testNeeding(needs);
const rootTest = testNeeding([...needs, "root"]);

const anyBytes = "0x00ff0a3d";

function scratch(): string {
  const path = makeScratchDir("attributes", { mode: 0o755 });
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Makes directories (whose names end with a slash) and files with the given attributes. */
async function makeTree(
  root: string,
  tree: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<void> {
  for (const [name, attributes] of Object.entries(tree)) {
    const path = join(root, name);
    if (name.endsWith("/")) mkdirSync(path, { recursive: true });
    else writeFileSync(path, name);
    for (const [attribute, value] of Object.entries(attributes)) {
      await execa("setfattr", ["-n", attribute, "-v", value, path]);
    }
  }
}

/** What getfattr says of a path's `user.*` attributes, without the line that names the path. */
async function attributes(root: string, path: string): Promise<string> {
  const args = ["--absolute-names", "-d", "-m", "^user\\.", "-e", "hex", join(root, path)];
  const { stdout } = await execa("getfattr", args);
  return stdout.replace(/^# file:.*\n?/, "").trim();
}

/** Skips the test where files in `directory` can have no attributes. */
async function requireAttributes(context: Skippable, directory: string): Promise<void> {
  const { exitCode } = await execa("setfattr", ["-n", "user.test", "-v", "1", directory], {
    reject: false,
  });
  if (exitCode !== 0) context.skip(`no extended attributes in ${directory}`);
}

interface Image {
  readonly archive: string;
  /** Where each path of the image has its attributes from. */
  readonly sources: Readonly<Record<string, string>>;
}

/** An image of two layers: GNU tar has packed the first, bsdtar the second. */
async function makeImage(context: Skippable): Promise<Image> {
  const directory = scratch();
  await requireAttributes(context, directory);
  const [lower, upper] = [join(directory, "lower"), join(directory, "upper")];
  await makeTree(lower, {
    "d/": { "user.replaced": "1" },
    "d/f": { "user.bytes": anyBytes, "user.empty": "" },
    "kept/": { "user.kept": "0x6b" },
    "read-only": { "user.größe": anyBytes },
    none: {},
  });
  await execa("chmod", ["444", join(lower, "read-only")]);
  await makeTree(upper, {
    "d/": { "user.dir": anyBytes },
    "d/g": { "user.a b%=c": anyBytes, "user.g": "0x67" },
  });
  const pack = async (root: string, ...command: readonly [string, ...string[]]) => {
    const [program, ...args] = [...command, "--format=pax", "-cf", `${root}.tar`, "-C", root];
    await execa(program, [...args, "."]);
    return readFileSync(`${root}.tar`);
  };
  const layers = [
    await pack(lower, "tar", "--xattrs", "--xattrs-include=*"),
    await pack(upper, "bsdtar"),
  ];
  const archive = await writeArchive(join(directory, "image.tar"), dockerArchiveOf({ layers }));
  return {
    archive,
    sources: { d: upper, "d/g": upper, "d/f": lower, kept: lower, "read-only": lower, none: lower },
  };
}

/** All attributes that the cache has on record: path, name and value in base64. */
function onRecord(cacheDir: string): string[] {
  return contents(cacheDir).layers.flatMap((layer) => {
    const path = join(cacheDir, "v1/layers", layer, "layer.json");
    const { onRecord } = JSON.parse(readFileSync(path, "utf8"));
    return Object.entries<Record<string, string>>(onRecord.xattrs).flatMap(([file, xattrs]) =>
      Object.entries(xattrs).map(([name, value]) => `${file} ${name} ${value}`),
    );
  });
}

const everything = [
  "d user.dir AP8KPQ==",
  "d user.replaced MQ==",
  "d/f user.bytes AP8KPQ==",
  "d/f user.empty ",
  "d/g user.a b%=c AP8KPQ==",
  "d/g user.g Zw==",
  "kept user.kept aw==",
  "read-only user.gr\xc3\xb6\xc3\x9fe AP8KPQ==",
];

function expectOnRecordAlone(cacheDir: string, { warnings }: Staged): void {
  expect(onRecord(cacheDir).sort()).toEqual(everything);
  expect(warnings).toMatchObject([{ code: "XATTRS_NOT_KEPT", count: 6 }]);
}

describe("extended attributes", () => {
  attributeTest("are those that GNU tar and bsdtar have packed", async ({ skip }) => {
    const { archive, sources } = await makeImage({ skip });
    const cacheDir = freshCacheDir("ordinary");
    await requireAttributes({ skip }, cacheDir);
    const args = ["--cache-dir", cacheDir, "--platform", "linux/amd64", archive];
    const { rootfs, warnings } = await stage(args);
    for (const [path, source] of Object.entries(sources)) {
      expect(await attributes(rootfs, path)).toBe(await attributes(source, path));
    }
    expect(await attributes(rootfs, "d")).toBe(`user.dir=${anyBytes}`);
    expect(warnings).toEqual([]);
    expect(onRecord(cacheDir).sort()).toEqual(everything);
  });

  attributeTest("are on record alone without the package that sets them", async ({ skip }) => {
    const { archive } = await makeImage({ skip });
    const packageDir = join(scratch(), "package");
    cpSync(inject("packageDir"), packageDir, { recursive: true, verbatimSymlinks: true });
    rmSync(join(packageDir, "node_modules/fs-xattr"), { recursive: true, force: true });
    const cacheDir = freshCacheDir("ordinary");
    const program = join(packageDir, "bin/stage-rootfs.cjs");
    const args = ["--json", "--cache-dir", cacheDir, "--platform", "linux/amd64", archive];
    const staged = stagedBy(await runArgv([inject("nodePath"), program, ...args]));
    for (const path of ["d", "d/f"]) expect(await attributes(staged.rootfs, path)).toBe("");
    expectOnRecordAlone(cacheDir, staged);
  });

  rootTest("are on record alone on a disk that can have none", async ({ skip }) => {
    const { archive } = await makeImage({ skip });
    const mountPoint = scratch();
    await execa("mount", ["-t", "ramfs", "-o", "mode=1777", "ramfs", mountPoint]);
    onTestFinished(async () => {
      await execa("umount", [mountPoint]);
    });
    const cacheDir = join(mountPoint, "cache");
    const place = ["--cache-dir", cacheDir, "--allow-disk", "ramfs"];
    const args = [...place, "--platform", "linux/amd64", archive];
    expectOnRecordAlone(cacheDir, await stage(args));
  });
});
