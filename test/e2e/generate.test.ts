import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { testNeeding } from "./support/programs.js";

const templates = fileURLToPath(new URL("../../templates/", import.meta.url));

describe("stage-rootfs generate", () => {
  test("lists what there is", async () => {
    const { stdout, exitCode } = await stageRootfs(["generate"]);
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
      ...["slurm-prolog", "slurm-task-prolog", "slurm-epilog", "sbatch", "instance", "systemd", ""],
    ]);
    expect(exitCode).toBe(0);
  });

  test.each([
    [["slurm-prolo"], /there is no slurm-prolo to generate \(the nearest one is slurm-prolog; /],
    [["slurm-epilog", "--deadline", "5"], /--deadline is no option of generate slurm-epilog \(/],
    [["slurm-epilog", "--max-size", "many"], /--max-size takes a whole number/],
    [["slurm-prolog", "--deadline", "soon"], /--deadline takes a whole number/],
    [["slurm-epilog", "image.tar"], /one word too many for slurm-epilog: "image\.tar"/],
    [["instance", "a.tar", "--", "sh"], /instance runs no command in an image/],
    [["slurm-prolog", "docker://a b"], /takes no image with blanks/],
    [["instance", "--instance", "-x"], /--instance/],
    [["slurm-epilog", "--output", "/tmp"], /--output \/tmp is no file \(name one/],
    [["slurm-epilog", "--output", "/dev/null"], /--output \/dev\/null is no file/],
    [["systemd", "--output", "/dev/null"], /--output \/dev\/null is no directory \(/],
  ])("refuses %j", async (args, says) => {
    const { stdout, stderr, exitCode } = await stageRootfs(["generate", ...args]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 2 });
    expect(stderr).toMatch(says);
  });

  test("writes a script that can be run, and units into a directory", async () => {
    const directory = freshCacheDir("ordinary");
    const script = join(directory, "prolog");
    expect(await stageRootfs(["generate", "slurm-prolog", "--output", script])).toMatchObject({
      ...{ stdout: "", stderr: "", exitCode: 0 },
    });
    expect(statSync(script).mode & 0o777).toBe(0o755);
    expect(readFileSync(script, "utf8")).toMatch(/^#!\/bin\/sh\n/);
    const units = join(directory, "units");
    await stageRootfs(["generate", "systemd", "--output", units]);
    expect(readdirSync(units).sort()).toEqual([
      ...["stage-rootfs-gc.service", "stage-rootfs-gc.timer", "stage-rootfs-warm.service"],
    ]);
  });

  test("has relative paths of the options be absolute", async () => {
    const args = ["generate", "slurm-epilog", "--cache-dir", "images"];
    const { stdout } = await stageRootfs(args, { cwd: "/var" });
    expect(stdout).toContain("\nCACHE_DIR=/var/images\n");
  });

  testNeeding(["shellcheck"])("makes scripts that shellcheck has nothing against", () => {
    const scripts = readdirSync(templates).filter((name) => name.endsWith(".sh"));
    expect(scripts.length).toBeGreaterThan(4);
    const paths = scripts.map((name) => join(templates, name));
    expect(execFileSync("shellcheck", ["--shell=sh", ...paths], { encoding: "utf8" })).toBe("");
  });
});
