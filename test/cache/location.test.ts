import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { checkTrust, chooseCacheDirectory, prepareCache } from "../../src/cache/location.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const uid = process.geteuid?.() ?? 0;

describe("chooseCacheDirectory", () => {
  test.each([
    ["/opt/c", { STAGE_ROOTFS_CACHE_DIR: "/env" }, 1000, "/opt/c"],
    [undefined, { STAGE_ROOTFS_CACHE_DIR: "/env/c/" }, 1000, "/env/c"],
    [undefined, { STAGE_ROOTFS_CACHE_DIR: "" }, 1000, "/var/tmp/stage-rootfs-1000"],
    ["", {}, 1000, "/var/tmp/stage-rootfs-1000"],
    [undefined, {}, 1000, "/var/tmp/stage-rootfs-1000"],
    [undefined, {}, 0, "/var/cache/stage-rootfs"],
    ["relative/c", {}, 0, `${process.cwd()}/relative/c`],
  ])("for --cache-dir %j and the environment %j of user %d is %j", (option, env, user, chosen) => {
    expect(chooseCacheDirectory({ option, env, uid: user })).toBe(chosen);
  });

  test.each([
    [{ option: "/o", env: {} }, 1000, "/o"],
    [{ option: undefined, env: { STAGE_ROOTFS_CACHE_DIR: "/e" } }, 1000, "/e"],
    [{ option: undefined, env: {} }, 1000, "/scratch/stage-rootfs-1000"],
    [{ option: undefined, env: {} }, 0, "/scratch/stage-rootfs"],
  ])("for %j of user %d, with /scratch in the configuration, is %j", (inputs, user, chosen) => {
    let asked = 0;
    const configured = () => {
      asked++;
      return "/scratch";
    };
    expect(chooseCacheDirectory({ ...inputs, uid: user, configured })).toBe(chosen);
    // Looking takes time, and what was said on the command line needs no look.
    expect(asked).toBe(chosen.startsWith("/scratch") ? 1 : 0);
  });
});

describe("checkTrust", () => {
  function made(mode = 0o700): string {
    const path = `${scratchDirectory()}/cache`;
    mkdirSync(path);
    chmodSync(path, mode);
    return path;
  }

  function doubtOf(path: string): string {
    const error = refusal(() => checkTrust(path, uid));
    expect(error.code).toBe("CACHE_UNTRUSTED");
    expect(error.exitStatus).toBe(77);
    expect(error.message).toContain(path);
    return error.message;
  }

  test.each(["700", "750", "755", "2755", "711"])("trusts the caller's own of mode %s", (mode) => {
    expect(checkTrust(made(Number.parseInt(mode, 8)), uid)).toBe(true);
  });

  test("has nothing against what does not exist", () => {
    expect(checkTrust(`${scratchDirectory()}/missing`, uid)).toBe(false);
  });

  test.each(["770", "720", "702", "777", "1777", "722"])("refuses one of mode %s", (mode) => {
    expect(doubtOf(made(Number.parseInt(mode, 8)))).toContain("can be written to by others");
  });

  test("refuses a symbolic link, to the caller's own directory too", () => {
    const link = `${scratchDirectory()}/link`;
    symlinkSync(made(), link);
    expect(doubtOf(link)).toContain("symbolic link");
  });

  test("refuses a dangling link", () => {
    const link = `${scratchDirectory()}/link`;
    symlinkSync("/nowhere", link);
    expect(doubtOf(link)).toContain("symbolic link");
  });

  test("refuses a file", () => {
    const path = `${scratchDirectory()}/file`;
    writeFileSync(path, "");
    expect(doubtOf(path)).toContain("not a directory");
  });

  test("refuses another user's", () => {
    const path = made();
    // What root can give away, others can only look for.
    if (uid === 0) chownSync(path, 4321, 4321);
    const foreign = uid === 0 ? path : "/usr";
    expect(doubtOf(foreign)).toMatch(/belongs to user (4321|0), not to you/);
  });
});

describe("prepareCache", () => {
  test("makes all that a cache has, private whatever the umask", () => {
    const directory = `${scratchDirectory()}/a/b/cache`;
    const before = process.umask(0);
    try {
      prepareCache(directory, uid);
    } finally {
      process.umask(before);
    }
    const names = ["blobs", "index", "layers", "leases", "locks", "rootfs", "tmp"];
    expect(readdirSync(`${directory}/v1`).sort()).toEqual(names);
    for (const path of [
      directory,
      `${directory}/v1`,
      ...names.map((n) => `${directory}/v1/${n}`),
    ]) {
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
  });

  test("marks it as a cache for backup programs", () => {
    const directory = scratchDirectory();
    prepareCache(directory, uid);
    expect(readFileSync(`${directory}/CACHEDIR.TAG`, "latin1")).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
  });

  test("again changes nothing, and leaves a tag that somebody has changed", () => {
    const directory = scratchDirectory();
    prepareCache(directory, uid);
    writeFileSync(`${directory}/CACHEDIR.TAG`, "mine");
    writeFileSync(`${directory}/v1/index/record`, "");
    prepareCache(directory, uid);
    expect(readFileSync(`${directory}/CACHEDIR.TAG`, "utf8")).toBe("mine");
    expect(readdirSync(`${directory}/v1/index`)).toEqual(["record"]);
  });

  test("puts nothing into a directory that can't be trusted", () => {
    const directory = scratchDirectory();
    chmodSync(directory, 0o777);
    expect(refusal(() => prepareCache(directory, uid)).code).toBe("CACHE_UNTRUSTED");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("puts nothing into a directory behind a link", () => {
    const directory = scratchDirectory();
    const link = `${scratchDirectory()}/link`;
    symlinkSync(directory, link);
    expect(refusal(() => prepareCache(link, uid)).code).toBe("CACHE_UNTRUSTED");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("below a file fails by name", () => {
    const file = `${scratchDirectory()}/file`;
    writeFileSync(file, "");
    const error = refusal(() => prepareCache(`${file}/cache`, uid));
    expect(error.message).toContain(`make the cache ${file}/cache`);
  });

  test("where nothing can be written fails by name", ({ skip }) => {
    skip(uid === 0, "root can write everywhere");
    const error = refusal(() => prepareCache("/usr/stage-rootfs-cache", uid));
    expect(error.code).toBe("PERMISSION");
    expect(error.message).toContain("/usr/stage-rootfs-cache");
  });
});
