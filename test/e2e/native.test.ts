import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, runArgv, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { stagedBy } from "./support/staged.js";

const nativeTest = testNeeding(debianImageNeeds);

/** Runs a shell script natively, with the Debian image's environment, in an ordinary user's cache. */
async function natively(
  script: string,
  {
    options = [],
    command = "run",
    ...how
  }: RunOptions & { options?: string[]; command?: string } = {},
) {
  const { forms } = await debianImage();
  const cacheDir = freshCacheDir("ordinary");
  const args = ["--cache-dir", cacheDir, "--native", ...options, forms.dockerArchive];
  const run = await stageRootfs([command, ...args, "--", "/bin/sh", "-c", script], how);
  return { ...run, cacheDir, image: forms.dockerArchive };
}

const quiet = ["-q"];

describe("native", () => {
  nativeTest("has the image's environment alone, with the caller's PATH, where it is", async () => {
    const script = "env | grep -v -e ^_= -e ^SHLVL= | sort; pwd";
    const env = { SECRET: "of the host", PATH: "/usr/bin:/bin" };
    const { stdout, stderr, exitCode } = await natively(script, {
      options: quiet,
      env,
      cwd: "/usr",
    });
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout.trim().split("\n")).toEqual([
      "GREETING=hello there",
      "HOME=/",
      "PATH=/usr/bin:/bin",
      "PWD=/usr",
      "/usr",
    ]);
  });

  nativeTest("says each time that it isolates nothing, but for --quiet", async () => {
    const { stdout, stderr } = await natively("echo ran");
    expect(stdout).toBe("ran\n");
    expect(stderr).toMatch(
      /^stage-rootfs: warning: no isolation: the command is a process of this/m,
    );
  });

  nativeTest("finds programs in the rootfs where asked", async () => {
    const { stdout, cacheDir, image } = await natively("command -v env; command -v busybox", {
      options: [...quiet, "--native-path", "rootfs"],
    });
    const { rootfs } = stagedBy(await stageRootfs(["--json", "--cache-dir", cacheDir, image]));
    const [env = "", busybox = ""] = stdout.trim().split("\n");
    expect(env.startsWith(`${rootfs}/`)).toBe(true);
    expect(realpathSync(busybox)).toBe(join(rootfs, "usr/bin/busybox"));
  });

  nativeTest("works in the output directory, which is $out", async () => {
    const out = freshCacheDir("ordinary");
    const { exitCode } = await natively('pwd >"$out/where"', {
      options: [...quiet, "--output", out],
    });
    expect(exitCode).toBe(0);
    expect(readFileSync(join(out, "where"), "utf8")).toBe(`${out}\n`);
  });

  nativeTest("ends as its command does", async () => {
    expect((await natively("exit 3", { options: quiet })).exitCode).toBe(3);
    expect((await natively("kill -9 $$", { options: quiet })).exitCode).toBe(137);
  });

  nativeTest("passes signals on to its command", async () => {
    const scratch = freshCacheDir("ordinary");
    const ready = join(scratch, "ready");
    const script = [
      "trap 'echo got TERM; exit 42' TERM",
      `echo >${ready}`,
      "while :; do sleep 0.05; done",
    ].join("\n");
    const run = await natively(script, {
      options: quiet,
      killWhen: { condition: () => existsSync(ready), signal: "SIGTERM" },
    });
    expect(run).toMatchObject({ stdout: "got TERM\n", exitCode: 42 });
  });

  nativeTest("refuses what takes a sandbox, and starts nothing", async () => {
    const scratch = freshCacheDir("ordinary");
    const script = `echo >${scratch}/ran`;
    const asked = [
      [["--network", "none"], "native can't keep a command from the network"],
      [["--writable"], "native has no root that could be written to"],
      [["--tmpfs", "/scratch"], "native can't mount anything, and so not a fresh /scratch"],
      [
        ["--bind", `${scratch}:/elsewhere`],
        `native can't mount anything: ${scratch} can't be seen`,
      ],
    ] as const;
    for (const [options, message] of asked) {
      const { stdout, stderr, exitCode } = await natively(script, { options: [...options] });
      expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 125 });
      expect(stderr).toContain(`stage-rootfs: ${message}`);
    }
    expect(existsSync(join(scratch, "ran"))).toBe(false);
  });

  nativeTest("is printed as a line that a shell runs", async () => {
    const { stdout } = await natively('echo "$GREETING"; exit 5', {
      options: quiet,
      command: "command",
    });
    expect(await runArgv(["sh", "-c", stdout])).toMatchObject({
      stdout: "hello there\n",
      exitCode: 5,
    });
  });
});
