import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { type Account, accountOf } from "./support/account.js";
import { apptainerTest, commonCacheOf } from "./support/apptainer.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunOptions, type RunResult, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { debianImage } from "./support/debian-image.js";
import { unstableApptainer } from "./support/unstable-programs.js";
import { isRoot, type UserKind } from "./support/users.js";

const users: readonly UserKind[] = isRoot() ? ["ordinary", "root"] : ["ordinary"];

interface Line {
  readonly account: Account;
  /** Runs a command of stage-rootfs's on the Debian image, with Apptainer. */
  readonly run: (
    command: string,
    words: readonly string[],
    options?: RunOptions,
  ) => Promise<RunResult>;
}

async function lineOf(kind: UserKind): Promise<Line> {
  const { forms } = await debianImage();
  const programs = dirname(await unstableApptainer());
  const account = accountOf(kind);
  const cache = ["-q", "--cache-dir", commonCacheOf(kind), "--apptainer"];
  return {
    account,
    run: (command, words, options) => {
      const env = { PATH: `${programs}:${process.env["PATH"]}` };
      const argv = stageRootfsArgv([command, ...cache, ...imageAfterOptions(words)]);
      return account.run(argv, { ...options, env });
    },
  };

  function imageAfterOptions(words: readonly string[]): readonly string[] {
    const end = words.indexOf("--");
    const split = end < 0 ? words.length : end;
    return [...words.slice(0, split), forms.dockerArchive, ...words.slice(split)];
  }
}

describe.for(users)("run --apptainer by the %s user", (kind) => {
  apptainerTest("runs what the image says, as whoever is asked for", async () => {
    const { run } = await lineOf(kind);
    expect(await run("run", [])).toMatchObject({
      stdout: "hello there from /opt/site\n",
      stderr: "",
      exitCode: 0,
    });
    const asRoot = await run("run", ["--uid-0", "--", "sh", "-c", "id -u; id -g; exit 3"]);
    expect(asRoot).toMatchObject({ stdout: "0\n0\n", stderr: "", exitCode: 3 });
  });

  apptainerTest("prints how an instance is started, used and stopped", async () => {
    const { account, run } = await lineOf(kind);
    const words = ["--instance", "mine", "--", "sh", "-c", 'echo "$GREETING"; exit 4'];
    const { stdout, stderr } = await run("command", words);
    expect(stderr).toBe("");
    const [start = "", exec = "", stop = ""] = stdout.trimEnd().split("\n");
    const started = (line: string) => account.run(["sh", "-c", line]);
    expect(await started(start)).toMatchObject({ stderr: "", exitCode: 0 });
    try {
      expect(await started(exec)).toMatchObject({ stdout: "hello there\n", exitCode: 4 });
    } finally {
      expect(await started(stop)).toMatchObject({ exitCode: 0 });
    }
    expect(await started(exec)).toMatchObject({ exitCode: 255 });
    const { instance, ...commands } = JSON.parse(
      (await run("command", ["--json", ...words])).stdout,
    );
    expect(instance).toBe("mine");
    expect(commands).toHaveProperty("start.argv", expect.arrayContaining(["instance", "start"]));
    expect(await run("command", ["--instance", "/odd"])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  apptainerTest("passes SIGTERM on, and leaves no survivor of SIGKILL", async () => {
    const { account, run } = await lineOf(kind);
    const bind = ["--bind", `${account.home}:/scratch`];
    const trapping = "trap 'echo got TERM; exit 42' TERM; echo >/scratch/ready";
    const beating = "while :; do date +%s%N >/scratch/alive; sleep 0.05; done";
    const words = [...bind, "--", "sh", "-c", `${trapping}; ${beating}`];
    const condition = () => existsSync(join(account.home, "ready"));
    const ended = await run("run", words, { killWhen: { condition, signal: "SIGTERM" } });
    expect(ended).toMatchObject({ stdout: "got TERM\n", exitCode: 42 });
    const killed = await run("run", words, {
      killWhen: { condition: isAliveSoon, signal: "SIGKILL" },
    });
    expect(killed.signal).toBe("SIGKILL");
    await sleep(1000);
    const last = beat();
    await sleep(500);
    expect(beat()).toBe(last);

    function beat(): string {
      return readFileSync(join(account.home, "alive"), "utf8");
    }
    async function isAliveSoon(): Promise<boolean> {
      const before = beat();
      await sleep(200);
      return beat() !== before;
    }
  });

  apptainerTest("is what command prints, and what shell uses", async () => {
    const { account, run } = await lineOf(kind);
    const env = 'ODD=it\'s, "a"=$HOME\n';
    const printed = await run("command", [
      "--env",
      env,
      "--",
      "sh",
      "-c",
      'echo "$ODD$1"',
      "sh",
      "x  y",
    ]);
    const again = await account.run(["sh", "-c", printed.stdout]);
    expect(again).toMatchObject({ stdout: `${env.slice(4)}x  y\n`, stderr: "", exitCode: 0 });
    const shell = await run("shell", ["--env", "A=b"], { input: "echo $A; pwd; exit 4\n" });
    expect(shell).toMatchObject({ stdout: "b\n/opt/site\n", exitCode: 4 });
  });
});

apptainerTest("a user without an account is told so", async () => {
  const { forms } = await debianImage();
  const programs = dirname(await unstableApptainer());
  // A cache of its own, for it is remembered there that Apptainer works for this user.
  const args = ["run", "-q", "--cache-dir", freshCacheDir("ordinary"), "--apptainer"];
  const env = { PATH: `${programs}:${process.env["PATH"]}` };
  const run = await stageRootfs([...args, forms.dockerArchive, "--", "true"], { env });
  expect(run.exitCode).toBe(125);
  expect(run.stderr).toContain("the user has no line in passwd");
});
