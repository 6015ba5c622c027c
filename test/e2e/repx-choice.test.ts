import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { CountedPrograms } from "./support/counted-programs.js";
import { nixImage, nixImageNeeds } from "./support/nix-image.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { addTarball } from "./support/repx-lab.js";
import { settingsFile } from "./support/settings-file.js";

const repxTest = testNeeding([...nixImageNeeds, "bwrap"]);

/** Options that name the image `tools` of a new Lab, and a cache of the ordinary user's. */
async function toolsOfLab(): Promise<readonly string[]> {
  const lab = makeScratchDir("lab", { mode: 0o755 });
  onTestFinished(() => rmSync(lab, { recursive: true, force: true }));
  await addTarball(lab, "image/tools.tar");
  return ["-q", "--cache-dir", freshCacheDir("ordinary"), "--lab", lab, "tools"];
}

describe("Runtime Backends", () => {
  repxTest("native: direct process execution, no isolation", async () => {
    const words = [
      "--native",
      ...(await toolsOfLab()),
      "--",
      "/bin/sh",
      "-c",
      "echo $GREETING; pwd",
    ];
    const run = await stageRootfs(["run", ...words], { cwd: "/usr" });
    expect(run).toMatchObject({ stdout: "hello from the store\n/usr\n", exitCode: 0 });
    const missing = await stageRootfs(["run", ...words.slice(0, -3), "nosuch"]);
    expect(missing).toMatchObject({ stdout: "", exitCode: 127 });
    expect(missing.stderr).toMatch(/^stage-rootfs: this host has no command nosuch [^\n]*\n$/);
  });

  repxTest("bwrap: Bubblewrap namespace isolation, without privileges", async () => {
    const { shellPath } = await nixImage();
    const script = "echo /proc/[0-9]*; id -u";
    const words = ["--bwrap", ...(await toolsOfLab()), "--", `${shellPath}/bin/sh`, "-c", script];
    const run = await stageRootfs(["run", ...words], { as: "ordinary" });
    expect(run.exitCode).toBe(0);
    const [processes = "", user] = run.stdout.trim().split("\n");
    expect(processes.split(" ").length).toBeLessThan(5);
    expect(Number(user)).not.toBe(0);
  });

  repxTest.for(["docker", "podman"])(
    "%s: runs it, or says why it can't, and nothing else runs",
    async (name) => {
      const words = [`--${name}`, ...(await toolsOfLab()), "--", "/bin/sh", "-c", "echo it runs"];
      const run = await stageRootfs(["run", ...words]);
      if (run.exitCode === 0) expect(run.stdout).toBe("it runs\n");
      else expect(run).toMatchObject({ stdout: "", exitCode: 125 });
      if (run.exitCode !== 0) expect(run.stderr).toMatch(new RegExp(`^stage-rootfs: ${name} `));
    },
  );
});

/** What `command` would start, with a configuration and on a machine with odd programs. */
async function chosen(options: {
  readonly toml: string;
  readonly flags?: readonly string[];
  readonly programs?: CountedPrograms;
  readonly env?: Readonly<Record<string, string>>;
}) {
  const { toml, flags = [], programs, env = {} } = options;
  const config = ["--config", settingsFile("config.toml", toml)];
  const words = ["--json", ...config, ...flags, ...(await toolsOfLab()), "--", "/bin/sh"];
  const { stdout, stderr } = await stageRootfs(["command", ...words], {
    env: { ...programs?.env, ...env },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout).runtime;
}

const targets = [
  '[targets.local.local]\nexecution_types = ["bwrap", "native"]\n',
  '[targets.cluster.slurm]\nexecution_types = ["podman", "native"]\n',
].join("\n");

describe("Per-Target Runtime Selection", () => {
  repxTest("the target's list counts, Slurm's within a job", async () => {
    const local = ["--target", "local"];
    expect(await chosen({ toml: targets, flags: local })).toMatchObject({ name: "bwrap" });
    const programs = new CountedPrograms();
    programs.makeUseless("podman");
    const job = { toml: targets, programs, env: { SLURM_JOB_ID: "4711" } };
    expect(await chosen({ ...job, flags: ["--target", "cluster"] })).toMatchObject({
      name: "native",
    });
  });

  repxTest("the first available runtime in the list is selected", async () => {
    const programs = new CountedPrograms();
    programs.makeUseless("docker");
    programs.wrap("bwrap");
    const toml = '[targets.c.local]\nexecution_types = ["docker", "bwrap", "native"]\n';
    expect(await chosen({ toml, programs })).toMatchObject({
      name: "bwrap",
      program: join(programs.directory, "bwrap"),
    });
    expect(programs.calls("docker")).toBeGreaterThan(0);
  });
});

describe("CLI Override", () => {
  const lists = (name: string) => `[targets.c.local]\nexecution_types = ["${name}"]\n`;

  repxTest.for([
    ["--bwrap", "native", "bwrap"],
    ["--native", "bwrap", "native"],
    ["--runtime=bwrap", "native", "bwrap"],
  ] as const)("%s goes before a list of %s", async ([flag, configured, name]) => {
    expect(await chosen({ toml: lists(configured), flags: [flag] })).toMatchObject({ name });
  });
});

describe("Debugging", () => {
  repxTest("a shell has all mounts and variables of the run", async () => {
    const { shellPath } = await nixImage();
    const output = freshCacheDir("ordinary");
    const words = ["--output", output, "--env", "A=b c", "--bwrap", ...(await toolsOfLab())];
    const script = "cat /proc/self/mounts; env; pwd";
    const run = await stageRootfs(["run", ...words, "--", `${shellPath}/bin/sh`, "-c", script]);
    const shell = await stageRootfs(["shell", ...words], { input: `${script}\n` });
    expect(run).toMatchObject({ stderr: "", exitCode: 0 });
    const lines = ({ stdout }: { stdout: string }) => stdout.trim().split("\n").toSorted();
    expect(lines(shell)).toEqual(lines(run));
    expect(run.stdout).toContain(`out=${output}\n`);
  });
});
