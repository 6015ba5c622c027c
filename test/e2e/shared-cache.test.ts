import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect } from "vitest";
import { directory, file, symlink } from "../support/layers.js";
import { archiveFile } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, runArgv, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { stage } from "./support/staged.js";
import { runningAs, type UserKind, userFor } from "./support/users.js";

const rootTest = testNeeding(["root"]);
const debianTest = testNeeding(["root", "bwrap", ...debianImageNeeds]);
const users = ["ordinary", "another"] as const;

/** The path of a new directory that everybody may reach; for a cache that root shares. */
function sharedDir(): string {
  return join(freshCacheDir("root"), "..", "shared");
}

/** An image that lets everybody write where they should not. */
function openImage(mark = ""): string {
  const path = archiveFile([
    [
      file("mark", mark),
      directory("tmp", { mode: 0o1777 }),
      directory("open", { mode: 0o777 }),
      file("open/file", "content", { mode: 0o666 }),
      file("users", "content", { mode: 0o600, uid: 23456, gid: 23456 }),
      file("secret", "content", { mode: 0o600 }),
      file("setuid", "content", { mode: 0o4755 }),
      directory("groups", { mode: 0o2775, gid: 23456 }),
      symlink("link", "/etc/passwd"),
    ],
  ]);
  chmodSync(path, 0o644);
  chmodSync(join(path, ".."), 0o755);
  return path;
}

/** All that a user who is not the owner can write to, or can replace, below a directory. */
async function writableFor(as: UserKind, directory: string): Promise<string[]> {
  const { stdout } = await execa(
    "find",
    [directory, "(", "-writable", "-o", "-user", String(userFor(as).uid), ")", "!", "-type", "l"],
    { ...runningAs(as), reject: false },
  );
  return stdout.split("\n").filter((path) => path !== "");
}

describe("a cache that root shares", () => {
  rootTest("is used by others, who can write to none of it", async () => {
    const cacheDir = sharedDir();
    const image = openImage();
    const staged = await stage(["--shared", "--cache-dir", cacheDir, image], { as: "root" });
    for (const as of users) {
      const hit = await stage(["--cache-dir", cacheDir, image], { as });
      expect(hit).toMatchObject({ hit: true, rootfs: staged.rootfs, key: staged.key });
      // Leases are anybody's, each user's own.
      const leases = `${cacheDir}/v1/leases/${staged.key}`;
      const writable = await writableFor(as, cacheDir);
      expect(writable.filter((path) => !path.startsWith(leases))).toEqual([]);
      expect((lstatSync(leases).mode & 0o7777).toString(8)).toBe("1777");
    }
    const modes = Object.fromEntries(
      ["tmp", "open", "open/file", "users", "secret", "setuid", "groups"].map((name) => {
        const { mode, uid, gid } = lstatSync(join(staged.rootfs, name));
        return [name, `${(mode & 0o7777).toString(8)} ${uid}:${gid}`];
      }),
    );
    expect(modes).toEqual({
      tmp: "1755 0:0",
      open: "755 0:0",
      "open/file": "644 0:0",
      users: "600 0:0",
      secret: "600 0:0",
      setuid: "755 0:0",
      groups: "755 0:0",
    });
  });

  rootTest("knows an image that comes from another file", async () => {
    const cacheDir = sharedDir();
    const image = openImage();
    const staged = await stage(["--shared", "--cache-dir", cacheDir, image], { as: "root" });
    const copy = `${image}-copy`;
    await execa("cp", [image, copy]);
    const hit = await stage(["--cache-dir", cacheDir, copy], { as: "ordinary" });
    expect(hit).toMatchObject({ hit: true, rootfs: staged.rootfs });
  });

  rootTest("says to others who can stage there, and lets them change nothing", async () => {
    const cacheDir = sharedDir();
    await stage(["--shared", "--cache-dir", cacheDir, openImage()], { as: "root" });
    const before = await listing(cacheDir);
    const other = openImage("other");
    for (const args of [[other], ["--mount", "/more", other], ["-"]]) {
      const input = args[0] === "-" ? "no image" : "";
      const run = await stageRootfs(["--cache-dir", cacheDir, ...args], { input });
      expect(run.stdout).toBe("");
      expect(run.exitCode).toBe(77);
      expect(run.stderr).toMatch(
        /^stage-rootfs: the cache [^ ]+ does not have all of the image, and only user 0, [^\n]+\n$/,
      );
    }
    expect(await listing(cacheDir)).toBe(before);
  });

  debianTest("has programs that others run", async () => {
    const { forms } = await debianImage();
    const cacheDir = sharedDir();
    await stage(["--shared", "--cache-dir", cacheDir, forms.ociArchive], { as: "root" });
    for (const as of users) {
      const args = ["run", "-q", "--cache-dir", cacheDir, forms.ociArchive, "--", "/bin/sh", "-c"];
      const run = await stageRootfs([...args, "id -u && cat /etc/os-release && ls / >/dev/null"], {
        as,
      });
      expect(run).toMatchObject({ stderr: "", exitCode: 0 });
      expect(run.stdout).toMatch(new RegExp(`^${userFor(as).uid}\n[^]*Debian`));
    }
  });

  rootTest("stays usable, whatever users do to it", async () => {
    const cacheDir = sharedDir();
    const image = openImage();
    const staged = await stage(["--shared", "--cache-dir", cacheDir, image], { as: "root" });
    const attack = (script: string) =>
      runArgv(["sh", "-c", script, cacheDir, staged.rootfs, staged.key], { as: "another" });
    const attempts = [
      'rm -rf "$0"',
      'mv "$0" "$0.gone"',
      'mv "$0/v1" "$0/v2"; mv "$0/v1/rootfs" "$0/v1/gone"',
      'mkdir "$0/v1/tmp/x" "$0/v1/locks/x" "$0/v1/blobs/x"',
      'ls "$0/v1/tmp" "$0/v1/locks" "$0/v1/blobs" && exit 0; exit 1',
      'echo x >"$1/open/file"; echo x >"$1/users"; echo x >"$1/tmp/x"; cat "$1/secret" && exit 0',
      'ln "$1/open/file" "$1/tmp/y"; chmod 777 "$1/open"; chown 23457 "$1/open/file"',
      'echo {} >"$0/v1/rootfs/$2/entry.json"; rm "$0/v1/rootfs/$2/entry.json"',
      'for i in 1 2 3; do mkdir "$0/v1/leases/x$i"; touch "$0/v1/leases/y$i"; done; exit 1',
      'rm -rf "$0/v1/leases/$2"; mv "$0/v1/leases" "$0/v1/l"; exit 1',
      'ln -s /etc/passwd "$0/v1/leases/link"; mkfifo "$0/v1/leases/fifo"; exit 1',
      'exec flock -n -x "$0/v1" -c "exit 1"',
    ];
    for (const script of attempts) {
      const { exitCode } = await attack(script);
      expect({ script, failed: exitCode !== 0 }).toEqual({ script, failed: true });
      for (const as of users) {
        const hit = await stage(["--cache-dir", cacheDir, image], { as });
        expect(hit).toMatchObject({ hit: true, rootfs: staged.rootfs });
      }
      const other = await stage(["--cache-dir", cacheDir, image], { as: "root" });
      expect(other).toMatchObject({ hit: true });
    }
    expect(existsSync(join(staged.rootfs, "tmp/x"))).toBe(false);
    const more = await stage(["--cache-dir", cacheDir, openImage("more")], { as: "root" });
    expect(more).toMatchObject({ key: expect.stringMatching(/-shared$/) });
  });

  rootTest("has leases for all, though one user takes the names of others' jobs", async () => {
    const cacheDir = sharedDir();
    const image = openImage();
    const args = ["--cache-dir", cacheDir, image];
    const { key } = await stage(["--shared", "--lease", "none", ...args], { as: "root" });
    const squat = 'cd "$0/v1/leases/$1" && touch job-1 && mkdir job-2 && ln -s /etc/passwd job-3';
    await runArgv(["sh", "-c", squat, cacheDir, key], { as: "another" });
    const as = "ordinary";
    const release = async (job: string) => {
      const words = ["release", "--cache-dir", cacheDir, "--lease", `job:${job}`];
      return await stageRootfs(words, { as });
    };
    for (const job of ["1", "2", "3"]) {
      const leased = await stageRootfs(["--json", "--lease", `job:${job}`, ...args], { as });
      expect(JSON.parse(leased.stdout)).toMatchObject({ hit: true, lease: `slurm-${job}` });
    }
    expect(await release("1")).toMatchObject({ exitCode: 0, stdout: `slurm-1 ${key}\n` });
    // What is left of that name is not this user's.
    expect(await release("1")).toMatchObject({ exitCode: 77, stdout: "" });
    const withdraw = 'cd "$0/v1/leases/$1" && rm -r job-1 job-2 job-3';
    await runArgv(["sh", "-c", withdraw, cacheDir, key], { as: "another" });
    const rm = async () => await stageRootfs(["rm", "--cache-dir", cacheDir, key], { as: "root" });
    expect((await rm()).stderr).toMatch(/is in use \(slurm-2, slurm-3\)/);
    for (const job of ["2", "3"]) expect(await release(job)).toMatchObject({ exitCode: 0 });
    expect(await rm()).toMatchObject({ exitCode: 0, stderr: "" });
  });

  rootTest("is another user's, who is named", async () => {
    const parent = freshCacheDir("another");
    chmodSync(parent, 0o755);
    const cacheDir = join(parent, "cache");
    const image = openImage();
    const args = ["--cache-dir", cacheDir, image];
    const staged = await stage(["--shared", ...args], { as: "another" });
    const refused = await stageRootfs(args);
    expect(refused).toMatchObject({ stdout: "", exitCode: 77 });
    expect(refused.stderr).toMatch(/23457/);
    const trusting: RunOptions = { as: "ordinary" };
    expect(await stage(["--trust-owner", "23457", ...args], trusting)).toMatchObject({
      hit: true,
      rootfs: staged.rootfs,
    });
    const look = ["--cache-dir", cacheDir];
    expect(await stageRootfs(["ls", ...look], trusting)).toMatchObject({ exitCode: 77 });
    for (const command of ["ls", "du", "verify"]) {
      const words = command === "verify" ? ["--all"] : [];
      const args = [command, ...look, "--trust-owner", "23457", ...words];
      expect([command, await stageRootfs(args, trusting)]).toEqual([
        command,
        expect.objectContaining({ exitCode: 0 }),
      ]);
    }
  });

  rootTest("keeps neither owners nor setuid bits, and says so", async () => {
    const args = ["--shared", "--cache-dir", sharedDir(), openImage()];
    for (const option of [["--keep-setuid"], ["--owner", "image"]]) {
      const run = await stageRootfs([...option, ...args], { as: "root" });
      expect(run).toMatchObject({ stdout: "", exitCode: 2 });
      expect(run.stderr).toMatch(/can't be had in a shared cache/);
    }
  });
});

/** All that lies in a directory, with modes, owners, sizes and times of change. */
async function listing(directory: string): Promise<string> {
  const format = "%P %M %U %G %s %C@\n";
  const { stdout } = await execa("find", [
    directory,
    "!",
    "-path",
    "*/leases/*",
    "-printf",
    format,
  ]);
  return stdout
    .split("\n")
    .filter((line) => !line.startsWith("v1/leases "))
    .sort()
    .join("\n");
}

describe("a private cache", () => {
  rootTest("is nobody else's to read", async () => {
    const parent = join(freshCacheDir("root"), "..", "private");
    mkdirSync(parent, { mode: 0o755 });
    const image = openImage();
    const { rootfs } = await stage(["--cache-dir", parent, image], { as: "root" });
    const run = await stageRootfs(["--cache-dir", parent, image]);
    expect(run).toMatchObject({ stdout: "", exitCode: 77 });
    const { exitCode } = await runArgv(["ls", rootfs]);
    expect(exitCode).not.toBe(0);
    expect(readdirSync(rootfs).length).toBeGreaterThan(0);
  });
});
