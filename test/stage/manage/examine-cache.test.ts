import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { examineCache } from "../../../src/stage/manage/examine-cache.js";
import { emptyCache } from "../../support/cache.js";
import { asOrdinaryUser, scratchDirectory } from "../../support/scratch-directory.js";

describe("examineCache", () => {
  test("of one that is not there says what would be, and makes nothing", () => {
    const scratch = scratchDirectory();
    const cacheDir = join(scratch, "deep/cache");
    const found = examineCache({ cacheDir });
    expect(found).toMatchObject({
      directory: cacheDir,
      standing: "missing",
      hasLinks: true,
      problem: undefined,
    });
    expect(found.disk?.freeBytes).toBeGreaterThan(0);
    expect(readdirSync(scratch)).toEqual([]);
  });

  test("tries the disk of one that is there, and leaves nothing in it", () => {
    const { directory: cacheDir } = emptyCache();
    expect(examineCache({ cacheDir })).toMatchObject({ standing: "own", problem: undefined });
    expect(readdirSync(join(cacheDir, "v1/tmp"))).toEqual([]);
  });

  test.each([
    ["CACHE_UNTRUSTED", (path: string) => chmodSync(path, 0o777)],
    ["CACHE_UNSUITABLE", (path: string) => writeFileSync(join(path, "thesis.tex"), "")],
  ])("says %s as staging would", (code, spoil) => {
    const cacheDir = join(scratchDirectory(), "cache");
    mkdirSync(cacheDir);
    spoil(cacheDir);
    expect(examineCache({ cacheDir }).problem?.code).toBe(code);
  });

  test("does not trust a link in the cache's place", () => {
    const scratch = scratchDirectory();
    symlinkSync(scratch, join(scratch, "cache"));
    const found = examineCache({ cacheDir: join(scratch, "cache") });
    expect(found).toMatchObject({ standing: "untrusted", problem: { code: "CACHE_UNTRUSTED" } });
  });

  test("says where it may not be made", () => {
    const scratch = scratchDirectory();
    mkdirSync(join(scratch, "closed"));
    asOrdinaryUser(scratch, () => {
      chmodSync(join(scratch), 0o500);
      const found = examineCache({ cacheDir: join(scratch, "cache") });
      expect(found.problem?.code).toBe("PERMISSION");
      chmodSync(scratch, 0o700);
    });
  });

  test("refuses a disk in memory that is not allowed by name", () => {
    if (!existsSync("/dev/shm")) return;
    vi.stubEnv("STAGE_ROOTFS_ALLOW_DISK", "");
    const cacheDir = "/dev/shm/stage-rootfs-test-none";
    expect(examineCache({ cacheDir }).problem?.message).toContain("tmpfs");
    expect(examineCache({ cacheDir, allowDisks: ["tmpfs"] }).problem).toBeUndefined();
    vi.unstubAllEnvs();
    expect(existsSync(cacheDir)).toBe(false);
  });
});
