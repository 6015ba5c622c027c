import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, onTestFinished } from "vitest";
import { directory, file, hardLink, symlink } from "../support/layers.js";
import { archiveFile } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { sizedImage } from "./support/sized-image.js";
import { mountDisk, mountMemory } from "./support/small-disk.js";
import { leftovers, stage } from "./support/staged.js";

const rootTest = testNeeding(["root"]);
const fuseTest = testNeeding(["root", "mkfs.exfat", "mount.exfat-fuse", "bindfs"]);
const noneAllowed = { STAGE_ROOTFS_ALLOW_DISK: "" };

describe("a disk on which a cache does not belong", () => {
  rootTest("in memory is refused with the reason, and allowed by name", async () => {
    const disk = await mountMemory("size=50m");
    const args = ["--cache-dir", join(disk, "cache"), sizedImage([{ files: 1, size: 10 }])];
    const run = await stageRootfs(args, { env: noneAllowed });
    expect(run).toMatchObject({ stdout: "", exitCode: 78 });
    expect(run.stderr).toMatch(
      /^stage-rootfs: the cache [^ ]+ is on tmpfs \(tmpfs on [^ ]+\), which is in memory: .*--allow-disk tmpfs\)\n$/,
    );
    expect(readdirSync(disk)).toEqual([]);
    await stage(["--allow-disk", "tmpfs", ...args], { env: noneAllowed });
    // What stands there was allowed once.
    expect(await stage(args, { env: noneAllowed })).toMatchObject({ hit: true });
  });

  fuseTest("that a program serves is refused by its type", async () => {
    const [below, at] = [
      makeScratchDir("below", { mode: 0o1777 }),
      makeScratchDir("at", { mode: 0o755 }),
    ];
    await execa("bindfs", ["-o", "allow_other", below, at]);
    onTestFinished(async () => {
      await execa("umount", [at]);
      for (const path of [below, at]) rmSync(path, { recursive: true, force: true });
    });
    const image = sizedImage([{ files: 3, size: 10 }]);
    const args = ["--cache-dir", join(at, "cache"), image];
    const run = await stageRootfs(args, { env: noneAllowed });
    expect(run).toMatchObject({ stdout: "", exitCode: 78 });
    expect(run.stderr).toMatch(/is on fuse(\.bindfs)? .*, which a program serves/);
    const staged = await stage(["--allow-disk", "fuse", ...args], { env: noneAllowed });
    expect(readdirSync(staged.rootfs).length).toBeGreaterThan(3);
    expect(await stage(args, { env: noneAllowed })).toMatchObject({ hit: true });
  });

  fuseTest("that knows no upper case is refused, allowed or not", async () => {
    const disk = await mountDisk("exfat", { size: 64 });
    const args = [
      "--allow-disk",
      "fuseblk",
      "--allow-disk",
      "fuse",
      "--cache-dir",
      join(disk, "cache"),
    ];
    const image = sizedImage([{ files: 1, size: 10 }]);
    for (const attempt of ["first", "second"]) {
      const run = await stageRootfs([...args, image], { as: "root" });
      expect({ attempt, ...run }).toMatchObject({ stdout: "", exitCode: 78 });
      expect(run.stderr).toMatch(
        /is on fuse\S*, which takes names that differ in case for the same/,
      );
    }
  });

  rootTest("is named by a word that is known", async () => {
    const run = await stageRootfs(["--allow-disk", "floppy", "/none"]);
    expect(run).toMatchObject({ stdout: "", exitCode: 2 });
    expect(run.stderr).toMatch(/does not know "floppy" \(it takes 9p, afs, beegfs, .*nfs.*tmpfs/);
  });
});

describe("a directory that is something else", () => {
  rootTest("such as somebody's home gets no cache", async () => {
    const home = freshCacheDir("ordinary");
    await execa("sh", ["-c", 'mkdir "$0/Documents"; chown 23456 "$0/Documents"', home]);
    const image = sizedImage([{ files: 1, size: 10 }]);
    const run = await stageRootfs(["--cache-dir", home, image]);
    expect(run).toMatchObject({ stdout: "", exitCode: 78 });
    expect(run.stderr).toMatch(/is no cache of stage-rootfs: it has Documents in it/);
    expect(readdirSync(home)).toEqual(["Documents"]);
  });
});

describe("disks that lack something", () => {
  rootTest("a file with more names than ext4 allows is copied once", async () => {
    const disk = await mountDisk("ext4", { size: 256, args: ["-N", "20000"] });
    const names = Array.from({ length: 65_100 }, (_, i) => `d/${i}`);
    const image = archiveFile([
      [directory("d"), file("d/file", "content"), ...names.map((name) => hardLink(name, "d/file"))],
    ]);
    await execa("chmod", ["-R", "a+rX", join(image, "..")]);
    const staged = await stage(["--cache-dir", join(disk, "cache"), image]);
    const paths = readdirSync(join(staged.rootfs, "d"));
    expect(paths).toHaveLength(65_101);
    const inodes = new Set(paths.map((name) => lstatSync(join(staged.rootfs, "d", name)).ino));
    expect(inodes.size).toBeGreaterThan(1);
    expect(inodes.size).toBeLessThan(5);
  });

  rootTest("a cache that is spread over several disks is refused", async () => {
    const cacheDir = freshCacheDir("root");
    mkdirSync(join(cacheDir, "v1"), { mode: 0o700 });
    mkdirSync(join(cacheDir, "v1/layers"), { mode: 0o700 });
    const disk = await mountMemory("size=50m,mode=700");
    await execa("chmod", ["700", disk]);
    await execa("mount", ["--bind", disk, join(cacheDir, "v1/layers")]);
    onTestFinished(async () => {
      await execa("umount", [join(cacheDir, "v1/layers")]);
    });
    const image = archiveFile([
      [file("f", "content", { mode: 0o640, mtime: 7 }), symlink("l", "f")],
    ]);
    const run = await stageRootfs(["--cache-dir", cacheDir, image], { as: "root" });
    // What is published moves there by one rename, which can't be between disks.
    expect(run).toMatchObject({ stdout: "", exitCode: 73 });
    expect(run.stderr).toMatch(
      /it is spread over several disks \(have all of the cache on one disk\)/,
    );
    expect(leftovers(cacheDir)).toEqual([]);
  });

  rootTest("a container's overlay is as good as any", async () => {
    const parent = makeScratchDir("overlay", { mode: 0o755 });
    onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
    const [lower, upper, work, at] = ["lower", "upper", "work", "at"].map((name) => {
      mkdirSync(join(parent, name), { mode: 0o755 });
      return join(parent, name);
    });
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    await execa("mount", ["-t", "overlay", "-o", options, "overlay", at ?? ""]);
    onTestFinished(async () => {
      await execa("umount", [at ?? ""]);
    });
    await execa("chmod", ["1777", at ?? ""]);
    const args = ["--cache-dir", join(at ?? "", "cache"), sizedImage([{ files: 5, size: 100 }])];
    const staged = await stage(args, { env: noneAllowed });
    const [name = ""] = readdirSync(staged.rootfs).filter((entry) => entry.startsWith("file-"));
    expect(lstatSync(join(staged.rootfs, name)).nlink).toBe(2);
    expect(await stage(args, { env: noneAllowed })).toMatchObject({ hit: true });
    expect(existsSync(join(upper ?? "", "cache/v1/rootfs"))).toBe(true);
  });
});
