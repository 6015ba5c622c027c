import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type CacheToPrepare,
  chooseCacheDirectory,
  isSharedCache,
  prepareCache,
} from "../../../src/cache/place/location.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

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

function prepare(cacheDirectory: string, options: Partial<CacheToPrepare> = {}): void {
  prepareCache({ cacheDirectory, uid, allowedDisks: ["tmpfs"], ...options });
}

describe("prepareCache", () => {
  test("makes all that a cache has, private whatever the umask", () => {
    const directory = `${scratchDirectory()}/a/b/cache`;
    const before = process.umask(0);
    try {
      prepare(directory);
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
    prepare(directory);
    expect(readFileSync(`${directory}/CACHEDIR.TAG`, "latin1")).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
  });

  test("goes on where a process was killed before it wrote the tag", () => {
    const directory = `${scratchDirectory()}/cache`;
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(`${directory}/CACHEDIR.TAG`, "");
    prepareCache({ cacheDirectory: directory, uid });
    expect(readFileSync(`${directory}/CACHEDIR.TAG`, "latin1")).toMatch(
      /^Signature: 8a477f597d28d/,
    );
  });

  test("again changes nothing, and leaves a tag that somebody has changed", () => {
    const directory = scratchDirectory();
    prepare(directory);
    writeFileSync(`${directory}/CACHEDIR.TAG`, "mine");
    writeFileSync(`${directory}/v1/index/record`, "");
    prepare(directory);
    expect(readFileSync(`${directory}/CACHEDIR.TAG`, "utf8")).toBe("mine");
    expect(readdirSync(`${directory}/v1/index`)).toEqual(["record"]);
  });

  test("puts nothing into a directory that can't be trusted", () => {
    const directory = scratchDirectory();
    chmodSync(directory, 0o777);
    expect(refusal(() => prepare(directory)).code).toBe("CACHE_UNTRUSTED");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("puts nothing into a directory behind a link", () => {
    const directory = scratchDirectory();
    const link = `${scratchDirectory()}/link`;
    symlinkSync(directory, link);
    expect(refusal(() => prepare(link)).code).toBe("CACHE_UNTRUSTED");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("below a file fails by name", () => {
    const file = `${scratchDirectory()}/file`;
    writeFileSync(file, "");
    const error = refusal(() => prepare(`${file}/cache`));
    expect(error.message).toContain(`make the cache ${file}/cache`);
  });

  test("where nothing can be written fails by name", ({ skip }) => {
    skip(uid === 0, "root can write everywhere");
    const error = refusal(() => prepare("/usr/stage-rootfs-cache"));
    expect(error.code).toBe("PERMISSION");
    expect(error.message).toContain("/usr/stage-rootfs-cache");
  });

  test("of a directory that has something else in it makes no cache", () => {
    const directory = scratchDirectory();
    mkdirSync(`${directory}/Documents`);
    const error = refusal(() => prepare(directory));
    expect(error).toMatchObject({ code: "CACHE_UNSUITABLE", exitStatus: 78 });
    expect(error.message).toBe(`${directory} is no cache of stage-rootfs: it has Documents in it`);
    expect(error.hint).toContain(`--cache-dir ${directory}/stage-rootfs`);
    expect(readdirSync(directory)).toEqual(["Documents"]);
  });

  test("is not taken in by another program's tag", () => {
    const directory = scratchDirectory();
    writeFileSync(`${directory}/CACHEDIR.TAG`, "Signature: 8a477f597d28d172789f06886806bc55\n");
    expect(refusal(() => prepare(directory)).code).toBe("CACHE_UNSUITABLE");
  });

  test.each([
    ["at the top of a disk", "lost+found"],
    ["beside another version's", "v2"],
  ])("makes one %s", (_, name) => {
    const directory = scratchDirectory();
    mkdirSync(`${directory}/${name}`);
    prepare(directory);
    expect(readdirSync(directory).sort()).toEqual(["CACHEDIR.TAG", name, "v1"].sort());
  });

  test("goes on where another process was killed", () => {
    const directory = scratchDirectory();
    prepare(directory, { isShared: true });
    for (const name of ["tmp", "locks", "leases"])
      rmSync(`${directory}/v1/${name}`, { recursive: true });
    prepare(directory, { isShared: true });
    expect(readdirSync(`${directory}/v1`)).toHaveLength(7);
  });
});

describe("a shared cache", () => {
  test("can be read by all, but for what is under way, whatever the umask", () => {
    const directory = `${scratchDirectory()}/cache`;
    const before = process.umask(0o77);
    try {
      prepare(directory, { isShared: true });
    } finally {
      process.umask(before);
    }
    const modes = ["", "v1", ...readdirSync(`${directory}/v1`).map((name) => `v1/${name}`)].map(
      (name) => [name, (statSync(`${directory}/${name}`).mode & 0o7777).toString(8)],
    );
    expect(Object.fromEntries(modes)).toEqual({
      "": "755",
      v1: "755",
      "v1/layers": "755",
      "v1/rootfs": "755",
      "v1/index": "755",
      "v1/leases": "755",
      "v1/blobs": "700",
      "v1/locks": "700",
      "v1/tmp": "700",
    });
    expect(isSharedCache(directory)).toBe(true);
  });

  test("stays one without being told again", () => {
    const directory = scratchDirectory();
    prepare(directory, { isShared: true });
    rmSync(`${directory}/v1/layers`, { recursive: true });
    prepare(directory);
    expect(statSync(`${directory}/v1/layers`).mode & 0o777).toBe(0o755);
  });

  test("is not made of a private one", () => {
    const directory = scratchDirectory();
    prepare(directory);
    const error = refusal(() => prepare(directory, { isShared: true }));
    expect(error).toMatchObject({ code: "CACHE_UNTRUSTED" });
    expect(error.message).toContain("is private already");
    expect(isSharedCache(directory)).toBe(false);
  });

  test("of somebody else is left alone", ({ skip }) => {
    skip(uid !== 0, "only root can make somebody else's");
    const directory = scratchDirectory();
    prepare(directory, { isShared: true });
    const error = refusal(() => prepare(directory, { uid: 4321 }));
    expect(error).toMatchObject({ code: "PERMISSION", exitStatus: 77 });
    expect(error.message).toContain("only user 0, to whom it belongs, can stage there");
  });
});
