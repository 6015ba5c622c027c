import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect } from "vitest";
import { errnoOf } from "../../src/errors.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunResult, runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";
import { sizedImage } from "./support/sized-image.js";
import { mountDisk, mountMemory } from "./support/small-disk.js";
import { contents, leftovers, stagedBy } from "./support/staged.js";

const mebibyte = 1024 ** 2;
const rootTest = testNeeding(["root", "mkfs.xfs"]);
const btrfsTest = testNeeding(["root", "mkfs.btrfs"]);

async function stageOn(
  disk: string,
  image: string,
  options: readonly string[] = [],
): Promise<RunResult> {
  return await stageRootfs(["--json", "--cache-dir", join(disk, "cache"), ...options, image]);
}

/** Expects that there was no room, and that nothing is under way any more. */
function expectNoRoom(
  disk: string,
  run: RunResult,
  { staged = 0 }: { staged?: number } = {},
): string {
  expect(run).toMatchObject({ stdout: "", exitCode: 73 });
  expect(leftovers(join(disk, "cache"))).toEqual([]);
  expect(contents(join(disk, "cache")).entries).toHaveLength(staged);
  const { error } = JSON.parse(run.stderr);
  expect(error.code).toBe("NO_SPACE");
  return `${error.message} (${error.hint})`;
}

/** What a disk has left, once it has settled: blocks of deleted files are freed in the background. */
async function settledRoom(disk: string): Promise<{ bytes: number; inodes: number }> {
  await execa("sync", ["-f", disk]);
  await sleep(100);
  const { bavail, bsize, ffree } = statfsSync(disk);
  return { bytes: bavail * bsize, inodes: ffree };
}

describe("an image for which there is no room", () => {
  const disks = {
    "an ext4": () => mountDisk("ext4", { size: 64 }),
    "an XFS": () => mountDisk("xfs", { size: 320 }),
    "a tmpfs": () => mountMemory("size=50m"),
  };
  for (const [name, mount] of Object.entries(disks)) {
    rootTest(`is refused before anything is written, on ${name}`, async () => {
      const disk = await mount();
      const image = sizedImage([{ files: 5, size: 80 * mebibyte, isDull: true }]);
      const message = expectNoRoom(disk, await stageOn(disk, image));
      const { bytes } = await settledRoom(disk);
      const [, missing, type, left] =
        /needs (\d+) MiB more on [^ ]+ \((\w+), [^)]+\), which has ([\d.]+) MiB left/.exec(
          message,
        ) ?? [];
      expect({ type: name.split(" ")[1]?.toLowerCase() }).toEqual({ type });
      expect(Math.abs(Number(left) * mebibyte - bytes)).toBeLessThan(2 * mebibyte);
      // What a tenth of an archive may be headers for is not demanded.
      expect(Number(missing) + Number(left)).toBeGreaterThan(355);
      expect(Number(missing) + Number(left)).toBeLessThan(400);
      expect(contents(join(disk, "cache")).layers).toEqual([]);
    });
  }

  rootTest("of inodes is refused by their number, on a tmpfs that has few", async () => {
    const disk = await mountMemory("size=500m,nr_inodes=60");
    const image = sizedImage([{ files: 20, size: 9 * mebibyte, isDull: true }]);
    const message = expectNoRoom(disk, await stageOn(disk, image));
    expect(message).toMatch(
      /needs \d+ more inodes on [^ ]+ \(tmpfs, tmpfs\), which has \d+ inodes/,
    );
  });

  rootTest("that just fits is staged", async () => {
    const disk = await mountDisk("ext4", { size: 64 });
    await stageOn(disk, sizedImage([{ files: 1, size: 10 }]));
    const { bytes } = await settledRoom(disk);
    const image = sizedImage([{ files: 2, size: bytes / 2 - mebibyte }], { stored: "plain" });
    stagedBy(await stageOn(disk, image));
    expect((await settledRoom(disk)).bytes).toBeLessThan(2 * mebibyte);
  });
});

/** Takes all but so many bytes of a disk that has a cache by then. @returns the file that does */
async function fillBut(disk: string, left: number): Promise<string> {
  await stageOn(disk, sizedImage([{ files: 1, size: 10 }]));
  const filler = join(disk, "filler");
  const { bytes } = await settledRoom(disk);
  await execa("fallocate", ["-l", String(Math.floor(bytes - left)), filler]);
  return filler;
}

const small = { files: 2, size: mebibyte };

describe("a disk that turns out too small under way", () => {
  const disks = {
    "an ext4": () => mountDisk("ext4", { size: 64 }),
    "an XFS": () => mountDisk("xfs", { size: 320 }),
    "a tmpfs": () => mountMemory("size=64m"),
  };
  for (const [name, mount] of Object.entries(disks)) {
    rootTest(`ends in 73, keeps what was finished, and goes on later: ${name}`, async () => {
      const disk = await mount();
      const filler = await fillBut(disk, 24 * mebibyte);
      const before = await settledRoom(disk);
      const large = { files: 3, size: 9 * mebibyte, isDull: true };
      const image = sizedImage([small, large], { stored: "gzip members" });
      // One after another, for the first is to be finished when the other finds no room.
      expectNoRoom(disk, await stageOn(disk, image, ["--jobs", "1"]), { staged: 1 });
      expect(contents(join(disk, "cache")).layers).toHaveLength(2);
      const after = await settledRoom(disk);
      expect(before.bytes - after.bytes).toBeLessThan(3 * mebibyte);
      rmSync(filler);
      const staged = stagedBy(await stageOn(disk, image));
      expect(staged.layers.map(({ reused }) => reused)).toEqual([true, false]);
    });
  }

  rootTest("of inodes: the same", async () => {
    const disk = await mountDisk("ext4", { size: 64, args: ["-N", "400"] });
    await stageOn(disk, sizedImage([{ files: 1, size: 10 }]));
    const before = await settledRoom(disk);
    const image = sizedImage([small, { files: 500, size: 100, isDull: true }]);
    const message = expectNoRoom(disk, await stageOn(disk, image), { staged: 1 });
    expect(message).toMatch(/no space, or no inode, left/);
    expect(before.inodes - (await settledRoom(disk)).inodes).toBeLessThan(10);
    stagedBy(await stageOn(disk, sizedImage([small])));
  });
});

describe("what the disk refuses under way", () => {
  btrfsTest("a quota that is used up: 73, and what was finished is kept", async () => {
    const disk = await mountDisk("btrfs", { size: 300 });
    await execa("btrfs", ["quota", "enable", disk]);
    await execa("btrfs", ["subvolume", "create", join(disk, "quota")]);
    await execa("chmod", ["1777", join(disk, "quota")]);
    await execa("btrfs", ["qgroup", "limit", "20M", join(disk, "quota")]);
    // Both are unpacked at once, so one has to be done long before the other fails.
    const image = sizedImage([
      { files: 1, size: 1000 },
      { files: 4, size: 10 * mebibyte },
    ]);
    const message = expectNoRoom(join(disk, "quota"), await stageOn(join(disk, "quota"), image));
    expect(message).toMatch(/the disk quota is used up/);
    expect(contents(join(disk, "quota/cache")).layers).toHaveLength(1);
    await execa("btrfs", ["qgroup", "limit", "none", join(disk, "quota")]);
    const staged = stagedBy(await stageOn(join(disk, "quota"), image));
    expect(staged.layers.map(({ reused }) => reused)).toEqual([true, false]);
  });

  const straceTest = testNeeding(["strace"]);
  straceTest("an input/output error: 73, and what was finished is kept", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const argv = stageRootfsArgv(["--cache-dir", cacheDir, sizedImage([small, small])]);
    const run = await runArgv([
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "inject=link,linkat:error=EIO",
      ...argv,
    ]);
    expect(run).toMatchObject({ stdout: "", exitCode: 73 });
    expect(run.stderr).toMatch(
      /^stage-rootfs: [^\n]*input\/output error \(look at the node's disk\)\n$/,
    );
    expect(leftovers(cacheDir)).toEqual([]);
    expect(contents(cacheDir)).toMatchObject({
      entries: [],
      layers: [expect.anything(), expect.anything()],
    });
  });
});

describe("a disk that is full to the last block and inode", () => {
  const disks = {
    "an ext4": () => mountDisk("ext4", { size: 64, args: ["-N", "1000"] }),
    "an XFS": () => mountDisk("xfs", { size: 320 }),
    "a tmpfs": () => mountMemory("size=64m,nr_inodes=1000"),
  };

  /** Two images that an ordinary user has staged, and then nothing that root could still take. */
  async function fullDisk(mount: () => Promise<string>) {
    const disk = await mount();
    const cacheDir = join(disk, "cache");
    const images = [1, 2].map(() => sizedImage([small, { files: 20, size: 1000 }]));
    const keys: string[] = [];
    for (const image of images) {
      keys.push(stagedBy(await stageOn(disk, image, ["--lease", "none"])).key);
    }
    fillWholly(join(disk, "filler"));
    expect(() => writeFileSync(join(disk, "one-more"), "x")).toThrow("ENOSPC");
    return { cacheDir, images, keys };
  }

  for (const [name, mount] of Object.entries(disks)) {
    rootTest(`has room made by rm and gc, on ${name}`, async () => {
      const { cacheDir, keys } = await fullDisk(mount);
      const rm = await stageRootfs(["rm", "--cache-dir", cacheDir, keys[0] ?? ""]);
      expect(rm).toMatchObject({ exitCode: 0, stdout: `${keys[0]}\n`, stderr: "" });
      fillWholly(join(cacheDir, "../filler-2"));
      const args = ["--cache-dir", cacheDir, "--max-size", "0", "--min-age", "0"];
      expect(await stageRootfs(["gc", ...args])).toMatchObject({ exitCode: 0, stderr: "" });
      expect(contents(cacheDir)).toEqual({ entries: [], layers: [] });
      expect(leftovers(cacheDir)).toEqual([]);
    });
  }
});

/** Takes all that a disk has, down to its last inode; bit by bit in the end, for blocks differ. */
function fillWholly(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const size of [mebibyte, 4096, 512]) {
    fillWith((i) => writeFileSync(join(directory, `all-${size}-${i}`), Buffer.alloc(size)));
  }
  fillWith((i) => writeFileSync(join(directory, `${i}`), ""));
}

function fillWith(write: (i: number) => void): void {
  for (let i = 0; ; i++) {
    try {
      write(i);
    } catch (error) {
      if (errnoOf(error) === "ENOSPC") return;
      throw error;
    }
  }
}

describe("two images that do not fit together", () => {
  rootTest("one goes ahead, the other says who has the room", async () => {
    const disk = await mountDisk("xfs", { size: 320 });
    await fillBut(disk, 150 * mebibyte);
    const images = [1, 2].map(() => {
      return sizedImage([{ files: 10, size: 10 * mebibyte, isDull: true }, small]);
    });
    const runs = await Promise.all(images.map((image) => stageOn(disk, image)));
    const statuses = runs.map(({ exitCode }) => exitCode);
    expect(statuses, JSON.stringify(runs.map((r) => r.stderr))).toContain(0);
    expect([0, 73]).toEqual(expect.arrayContaining(statuses));
    for (const { stderr } of runs.filter(({ exitCode }) => exitCode === 73)) {
      expect(stderr).toMatch(/no room for [^"]*MiB more on/);
    }
    expect(leftovers(join(disk, "cache"))).toEqual([]);
  });

  rootTest("several processes that stage the same count it once", async () => {
    const disk = await mountDisk("xfs", { size: 320 });
    await fillBut(disk, 120 * mebibyte);
    const image = sizedImage([{ files: 10, size: 10 * mebibyte, isDull: true }, small]);
    const runs = await Promise.all([1, 2, 3, 4].map(() => stageOn(disk, image)));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
  });
});
