import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, onTestFinished, test } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { contents, leftovers } from "./support/staged.js";

/** A directory for a broken image, readable by everybody. */
function scratch(): string {
  const path = makeScratchDir("broken", { mode: 0o755 });
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Expects one line on stderr, nothing on stdout, and nothing left in the cache; twice. */
async function expectFailure(
  args: readonly string[],
  expected: { exitCode: number; says: RegExp },
): Promise<void> {
  const cacheDir = freshCacheDir("ordinary");
  for (const attempt of ["first", "second"]) {
    const run = await stageRootfs(["--cache-dir", cacheDir, ...args]);
    expect({ attempt, ...run }).toMatchObject({ stdout: "", exitCode: expected.exitCode });
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]+\n$/);
    expect(run.stderr).toMatch(expected.says);
    expect(contents(cacheDir).entries).toEqual([]);
    expect(leftovers(cacheDir)).toEqual([]);
  }
}

describe("what is no image", () => {
  const cases: readonly [name: string, content: Buffer | string, exitCode: number, says: RegExp][] =
    [
      ["an empty file", "", 65, /is empty/],
      ["a text", "hello\n".repeat(1000), 65, /is no image archive/],
      ["zeros", Buffer.alloc(10_240), 65, /is no image archive/],
      [
        "a gzip header and garbage",
        Buffer.from("1f8b08000000000000ffdeadbeef", "hex"),
        65,
        /damaged/,
      ],
      ["an xz file", Buffer.from("fd377a585a000004e6d6b446", "hex"), 65, /xz/],
      ["a file named .tar that is JSON", "{}", 65, /is no image archive/],
    ];
  test.for(cases)("%s", async ([, content, exitCode, says]) => {
    const file = join(scratch(), "image.tar");
    writeFileSync(file, content);
    await expectFailure([file], { exitCode, says });
  });

  test("a tar archive of something else", async () => {
    const directory = scratch();
    writeFileSync(join(directory, "file"), "x");
    await execa("tar", ["-cf", join(directory, "a.tar"), "-C", directory, "file"]);
    const says = /holds no image: neither manifest.json nor oci-layout/;
    await expectFailure([join(directory, "a.tar")], { exitCode: 65, says });
  });

  test("a directory of something else, a fifo, a device, nothing", async () => {
    const directory = scratch();
    await execa("mkfifo", ["-m", "666", join(directory, "fifo")]);
    await expectFailure([directory], { exitCode: 65, says: /holds no image/ });
    await expectFailure([join(directory, "fifo")], { exitCode: 65, says: /not a regular file/ });
    await expectFailure(["/dev/zero"], { exitCode: 65, says: /not a regular file/ });
    await expectFailure([join(directory, "none")], { exitCode: 66, says: /no such file/ });
    await expectFailure(["ubuntu"], { exitCode: 66, says: /docker:\/\/ubuntu/ });
  });
});

describe("the command line", () => {
  const cases: readonly [args: readonly string[], exitCode: number, says: RegExp][] = [
    [[], 2, /no image was named/],
    [["a", "b"], 2, /one word too many: "b"/],
    [["runn", "b"], 2, /no command runn .*stage-rootfs run;/],
    [["--nonsense", "a"], 2, /--nonsense/],
    [["--bind", "/a:/b", "a"], 2, /--bind is no option of plain stage-rootfs/],
    [["--jobs", "many", "a"], 2, /--jobs takes a whole number/],
    [["--mount", "relative", "a"], 2, /not absolute/],
    [["--mount", "/a/../../b", "a"], 2, /not a plain path/],
    [["--platform", "linux", "a"], 2, /not a platform/],
    [["docker://UBUNTU"], 2, /lower case/],
    [["--owner", "image", "a"], 2, /only root/],
    [["", "--"], 2, /names no image/],
    [["run", "a", "--env", "novalue"], 2, /NAME=VALUE/],
    [["run", "a", "--bind", "/nonexistent:/x"], 125, /\/nonexistent does not exist/],
  ];
  test.for(cases)("%j is refused", async ([args, exitCode, says]) => {
    const run = await stageRootfs(args, { env: { STAGE_ROOTFS_CACHE_DIR: "/nonexistent/cache" } });
    expect(run).toMatchObject({ stdout: "", exitCode });
    expect(run.stderr).toMatch(/^stage-rootfs: [^\n]+\n$/);
    expect(run.stderr).toMatch(says);
  });

  test("with --json an error is an object", async () => {
    const run = await stageRootfs(["--json", "/nonexistent"]);
    expect(run).toMatchObject({ stdout: "", exitCode: 66 });
    expect(JSON.parse(run.stderr)).toEqual({
      error: { code: "NOT_FOUND", message: "no such file or directory: /nonexistent" },
    });
  });
});

describe("where nobody listens", () => {
  const imageTest = testNeeding(debianImageNeeds);

  imageTest("a result that can't be written is an error, a message is not", async () => {
    const { forms } = await debianImage();
    const args = ["--cache-dir", freshCacheDir("ordinary"), forms.ociArchive];
    const into = (redirection: string) =>
      runArgv(["sh", "-c", `exec "$@" ${redirection}`, "sh", ...stageRootfsArgv(args)]);
    const mute = await into("2>/dev/full");
    expect(mute).toMatchObject({ exitCode: 0 });
    const full = await into(">/dev/full");
    expect(full.exitCode).toBe(73);
    expect(full.stderr).toMatch(/^stage-rootfs: cannot write the result to stdout: [^\n]*\n$/);
    expect(await into("2>&- >&-")).toMatchObject({ stdout: "" });
  });

  imageTest("in a working directory that is gone, absolute paths work", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const script = 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@"';
    const started = (args: readonly string[]) =>
      runArgv(["sh", "-c", script, cacheDir, ...stageRootfsArgv(args)]);
    const args = ["-q", "--cache-dir", cacheDir];
    expect(await started([...args, forms.ociArchive])).toMatchObject({ stderr: "", exitCode: 0 });
    const relative = await started([...args, "image.tar"]);
    expect(relative.exitCode).toBe(66);
    expect(relative.stderr).toMatch(/the working directory is gone/);
    for (const mount of [
      "--input=data",
      "--output=data",
      "--bind=data:/in",
      "--ro-bind=data:/in",
    ]) {
      const mounted = await started(["run", ...args, mount, forms.ociArchive]);
      expect(mounted.exitCode).toBe(66);
      expect(mounted.stderr).toMatch(/is gone, so "\.\/data[^"]*" is nowhere/);
    }
  });

  test("a place where nothing can be made does not hang", async () => {
    const run = await stageRootfs(["--cache-dir", "/proc/x", "-"], { input: "no archive" });
    expect(run.stderr).toMatch(/^stage-rootfs: cannot make the cache \/proc\/x: [^\n]*\n$/);
  });
});

describe("a cache that can't be used", () => {
  const rootTest = testNeeding(["root", ...debianImageNeeds]);

  rootTest("is refused when it belongs to somebody else, or others can write to it", async () => {
    const { forms } = await debianImage();
    const directory = scratch();
    const run = await stageRootfs(["--cache-dir", directory, forms.ociArchive]);
    expect(run).toMatchObject({ stdout: "", exitCode: 77 });
    expect(run.stderr).toMatch(/only user 0, to whom it belongs, can stage there/);
    await execa("chown", ["4321", directory]);
    const other = await stageRootfs(["--cache-dir", directory, forms.ociArchive]);
    expect(other).toMatchObject({ stdout: "", exitCode: 77 });
    expect(other.stderr).toMatch(/belongs to user 4321, not to you/);
    const own = freshCacheDir("ordinary");
    await execa("chmod", ["0777", own]);
    const open = await stageRootfs(["--cache-dir", own, forms.ociArchive]);
    expect(open).toMatchObject({ stdout: "", exitCode: 77 });
    expect(open.stderr).toMatch(/can be written to by others/);
  });

  rootTest("says so where nothing can be written", async () => {
    const { forms } = await debianImage();
    const run = await stageRootfs(["--cache-dir", "/var/lib/none", forms.ociArchive]);
    expect(run).toMatchObject({ stdout: "", exitCode: 77 });
    expect(run.stderr).toMatch(
      /^stage-rootfs: cannot make the cache \/var\/lib\/none: permission denied/,
    );
  });

  rootTest("says how full the disk is with 73, and keeps the layers that fit", async () => {
    const { forms } = await debianImage();
    const mountPoint = scratch();
    await execa("mount", ["-t", "tmpfs", "-o", "size=60m,mode=1777", "tmpfs", mountPoint]);
    onTestFinished(async () => {
      await execa("umount", [mountPoint]);
    });
    const cacheDir = join(mountPoint, "cache");
    const run = await stageRootfs(["--cache-dir", cacheDir, forms.ociLayoutGzip]);
    expect(run).toMatchObject({ stdout: "", exitCode: 73 });
    expect(run.stderr).toMatch(/no space, or no inode, left|no room for /);
    expect(leftovers(cacheDir)).toEqual([]);
    expect(contents(cacheDir).entries).toEqual([]);
  });

  rootTest(
    "that is read-only gives hits, also of an archive it has not seen, and no more",
    async () => {
      const { forms } = await debianImage();
      const cacheDir = freshCacheDir("ordinary");
      const args = ["--cache-dir", cacheDir, forms.ociArchive];
      const first = await stageRootfs(args);
      await execa("mount", ["--bind", cacheDir, cacheDir]);
      onTestFinished(async () => {
        await execa("umount", [cacheDir]);
      });
      await execa("mount", ["-o", "remount,bind,ro", cacheDir]);
      const hit = { stdout: first.stdout, stderr: "", exitCode: 0 };
      expect(await stageRootfs(args)).toMatchObject(hit);
      expect(await stageRootfs(["--cache-dir", cacheDir, forms.dockerArchive])).toMatchObject(hit);
      const more = await stageRootfs(["--mount", "/more", ...args]);
      expect(more).toMatchObject({ stdout: "", exitCode: 73 });
      expect(more.stderr).toMatch(/the file system is read-only/);
    },
  );
});

describe("a damaged image", () => {
  const imageTest = testNeeding(debianImageNeeds);

  imageTest("truncated anywhere: 65, and nothing is kept of the broken part", async () => {
    const { forms } = await debianImage();
    for (const [archive, sizes] of [
      [forms.dockerArchive, [512, 1000, 2_000_000, 100_000_000]],
      [forms.dockerArchiveGzip, [10, 5000, 1_000_000]],
      [forms.ociArchive, [1536, 3_000_000]],
    ] as const) {
      for (const size of sizes) {
        const copy = join(scratch(), "image.tar");
        copyFileSync(archive, copy);
        truncateSync(copy, size);
        await expectFailure([copy], { exitCode: 65, says: /truncated|damaged|holds no|readable/ });
      }
    }
  });

  imageTest("one flipped byte in a layer: 65, and its digests are named", async () => {
    const { forms } = await debianImage();
    const layout = join(scratch(), "layout");
    await execa("cp", ["-r", forms.ociLayoutPlain, layout]);
    const { layers } = manifestOf(layout);
    const layer = layers[0] ?? "";
    const blob = join(layout, "blobs", layer.replace(":", "/"));
    const bytes = readFileSync(blob);
    const at = bytes.indexOf("bash");
    bytes[at] = (bytes[at] ?? 0) ^ 0x20;
    writeFileSync(blob, bytes);
    await expectFailure([layout], { exitCode: 65, says: new RegExp(`should be ${layer}, but is`) });
  });
});

/** The layers' digests of the image in a layout with one image. */
function manifestOf(layout: string): { layers: string[] } {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), "utf8"));
  const [{ digest }] = read("index.json").manifests;
  const manifest = read(`blobs/${digest.replace(":", "/")}`);
  return { layers: manifest.layers.map((layer: { digest: string }) => layer.digest) };
}
