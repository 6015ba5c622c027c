import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { mountAccounts, writeAccountFiles } from "./support/account-files.js";
import { type RunOptions, runArgv, stageRootfs } from "./support/cli.js";
import { layeredImage } from "./support/layered-image.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { userFor } from "./support/users.js";

const test = testNeeding(["root", "setpriv", "unshare"]);
const mountingTest = testNeeding(["root", "setpriv", "unshare", "bindfs"]);

const { uid, gid } = userFor("ordinary");

const commands = {
  prolog: "slurm-prolog",
  task: "slurm-task-prolog",
  epilog: "slurm-epilog",
} as const;

type Script = keyof typeof commands;

interface ScriptRun extends Pick<RunOptions, "as" | "env"> {
  readonly image?: string;
  /** What the script is changed to before. */
  readonly change?: (script: string) => string;
  /** A shell's lines that come first, where only the script sees what they mount. */
  readonly before?: string;
}

/** A node whose scripts are run as slurmd runs them, and what they tell Slurm is kept. */
async function makeNode() {
  const directory = makeScratchDir("scripts", { mode: 0o755 });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const accounts = writeAccountFiles(directory, [{ uid, gid, name: "ada", home: "/" }]);
  const drained = join(directory, "drained");
  const programs = join(directory, "bin");
  const own = join(directory, `cache-users/${uid}`);
  mkdirSync(programs);
  program("scontrol", `echo "$*" >>'${drained}'`);
  program("logger", "");
  function program(name: string, lines: string): string {
    const path = join(programs, name);
    writeFileSync(path, `#!/bin/sh\n${lines}\n`);
    chmodSync(path, 0o755);
    return path;
  }
  const run = async (which: Script, options: ScriptRun = {}) => {
    const { image, change = (script) => script, before = ":", as = "root", env } = options;
    const place = ["--cache-dir", join(directory, "cache")];
    const disk = which === "epilog" ? [] : ["--allow-disk", "tmpfs"];
    const generated = await stageRootfs(["generate", commands[which], ...place, ...disk]);
    expect(generated).toMatchObject({ stderr: "", exitCode: 0 });
    const script = generated.stdout
      .replace(/^STATE_DIR=.*$/m, `STATE_DIR=${directory}/state`)
      .replace(/^PATH=/m, `PATH=${programs}:`);
    const path = join(directory, which);
    writeFileSync(path, change(script));
    chmodSync(path, 0o755);
    const comment = image === undefined ? {} : { SLURM_JOB_COMMENT: `stage-rootfs=${image}` };
    const job = { SLURM_JOB_ID: "7", SLURM_JOB_UID: `${uid}`, SLURM_JOB_GID: `${gid}` };
    const become = as === "root" ? "" : `setpriv --reuid ${uid} --regid ${gid} --init-groups`;
    const lines = `${mountAccounts(accounts)} && { ${before}; } && exec ${become} "$0"`;
    return await runArgv(["unshare", "--mount", "sh", "-c", lines, path], {
      as: "root",
      env: { ...job, SLURMD_NODENAME: "n1", SLURM_JOB_WORK_DIR: "/", ...comment, ...env },
    });
  };
  const state = join(directory, "state/7");
  return {
    ...{ directory, own, program, run },
    state: () => (existsSync(state) ? readFileSync(state, "utf8").split("\n") : []),
    drained: () => (existsSync(drained) ? readFileSync(drained, "utf8") : ""),
    image: layeredImage(join(directory, "image.tar")),
  };
}

describe("the generated prolog", () => {
  test("gives a user's directory to its user, also where it was killed before it had", async () => {
    const { own, run, image, state } = await makeNode();
    mkdirSync(dirname(own));
    mkdirSync(own, { mode: 0o700 });
    expect(await run("prolog", { image })).toMatchObject({ exitCode: 0 });
    expect(state()[0]).toBe("ready");
    expect(statSync(own)).toMatchObject({ uid, gid, mode: 0o40700 });
  });

  test("does not drain a node on which other jobs leave it no time to look", async () => {
    const { program, run, image, state, drained } = await makeNode();
    const slow = program("slow", `case " $* " in *" doctor "*) sleep 60 ;; esac; exit 77`);
    const { exitCode } = await run("prolog", {
      image,
      change: (script) =>
        script.replace(/^NODE=.*$/m, `NODE=${slow}`).replace("timeout 30", "timeout 1"),
    });
    expect([exitCode, drained(), state().slice(0, 2)]).toEqual([0, "", ["again", "77"]]);
  });

  test("needs no directory of the job's", async () => {
    const { run, image, state } = await makeNode();
    const change = (script: string) =>
      script.replace("set -fu", "unset SLURM_JOB_WORK_DIR\nset -fu");
    await run("prolog", { image, change });
    expect(state()[0]).toBe("ready");
  });
});

describe("what a user has mounted on their directory, and never answers, keeps nobody waiting:", () => {
  const mount = (own: string) =>
    [
      `mkdir -p '${own}' '${own}.real'`,
      `{ bindfs -f -o allow_other '${own}.real' '${own}' >/dev/null 2>&1 & }`,
      `echo $! >'${own}.pid'`,
      `until mountpoint -q '${own}'; do sleep 0.05; done`,
      "kill -STOP $!",
    ].join(" && ");
  const end = (own: string) =>
    onTestFinished(() => void process.kill(Number(readFileSync(`${own}.pid`, "utf8")), "SIGKILL"));
  const brief = (script: string) =>
    script
      .replace(/^DEADLINE=.*$/m, "DEADLINE=1")
      .replace("DEADLINE + 10", "DEADLINE + 1")
      .replace(/timeout (?:5|10) /g, "timeout 1 ")
      .replaceAll("--kill-after=5", "--kill-after=1")
      .replace("limit=30", "limit=1");

  mountingTest.for(["prolog", "epilog"] as const)("the %s", async (which) => {
    const { own, run, image, drained } = await makeNode();
    end(own);
    const started = performance.now();
    const { exitCode } = await run(which, { image, before: mount(own), change: brief });
    expect([exitCode, drained()]).toEqual([0, ""]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("the generated epilog", () => {
  test("takes along what a killed prolog had begun to tell", async () => {
    const { directory, run } = await makeNode();
    mkdirSync(join(directory, "state"));
    writeFileSync(join(directory, "state/7.new"), "ready\n");
    expect(await run("epilog")).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(directory, "state/7.new"))).toBe(false);
  });
});

describe("the generated task prolog", () => {
  /** Makes Node say something first, as it does of $NODE_EXTRA_CA_CERTS in some versions. */
  function warning(directory: string) {
    const path = join(directory, "warn.cjs");
    writeFileSync(path, 'console.error("Warning: one\\nWarning: two")\n');
    return { NODE_OPTIONS: `--require=${path}`, SLURM_LOCALID: "0" };
  }

  test("hands on the image alone where Node has a warning", async () => {
    const { directory, own, run, image } = await makeNode();
    await run("prolog");
    const wish = { ...warning(directory), STAGE_ROOTFS_IMAGE: image };
    const { stdout, exitCode } = await run("task", { as: "ordinary", env: wish });
    expect(stdout).toMatch(
      new RegExp(
        `^export STAGE_ROOTFS_ROOTFS=${own}/v1/rootfs/\\S+/rootfs\nexport STAGE_ROOTFS_IMAGE=${directory}/image.tar\nexport STAGE_ROOTFS_CACHE_DIR=${own}\n$`,
      ),
    );
    expect(exitCode).toBe(0);
  });

  test("says why there is none where Node has a warning", async () => {
    const { directory, run } = await makeNode();
    const wish = { ...warning(directory), STAGE_ROOTFS_IMAGE: "/missing.tar" };
    const { stdout, exitCode } = await run("task", { as: "ordinary", env: wish });
    expect(stdout).toMatch(
      /^print stage-rootfs: no such file or directory: \/missing\.tar[^\n]*\n$/,
    );
    expect(exitCode).toBe(66);
  });
});
