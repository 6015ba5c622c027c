import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { childrenOf } from "../../src/launch/run/process-tree.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { runAsOrdinaryUser, runningAs, userFor } from "./support/users.js";
import { warmCaches } from "./support/warm-cache.js";

const sandboxTest = testNeeding([...debianImageNeeds, "bwrap"]);

const cacheOf = warmCaches(async () => (await debianImage()).forms.dockerArchive);

/** Arguments that run a shell script in the Debian image, in a cache of the ordinary user's. */
async function inSandbox(script: string, options: readonly string[] = []): Promise<string[]> {
  const { forms } = await debianImage();
  const cache = ["--cache-dir", await cacheOf("ordinary")];
  return ["-q", ...cache, ...options, forms.dockerArchive, "--", "/bin/sh", "-c", script];
}

describe("run", () => {
  sandboxTest("prints what the command prints and ends with its status", async () => {
    const run = await stageRootfs(["run", ...(await inSandbox("echo hi; exit 3"))]);
    expect(run).toMatchObject({ stdout: "hi\n", stderr: "", exitCode: 3 });
  });

  sandboxTest(
    "without a command runs the image's Entrypoint and Cmd in its WorkingDir",
    async () => {
      const { forms } = await debianImage();
      const cacheDir = freshCacheDir("ordinary");
      const run = await stageRootfs(["run", "-q", "--cache-dir", cacheDir, forms.ociArchive]);
      expect(run).toMatchObject({ stdout: "hello there from /opt/site\n", exitCode: 0 });
    },
  );

  sandboxTest("leaves standard input and output alone, bytes and all", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const run = await stageRootfs(
      ["run", ...(await inSandbox("od -An -v -tu1 | tr -s ' \\n' ' '"))],
      {
        input: bytes,
      },
    );
    expect(run.stdout.trim()).toBe([...bytes].join(" "));
  });

  sandboxTest(
    "isolates: read-only root, fresh /tmp and /run, no network, own processes",
    async () => {
      const script = [
        "touch /x 2>/dev/null && echo root is writable",
        "touch /tmp/x /run/x && echo fresh",
        "ls /tmp /run",
        "cat /proc/net/dev | grep -c :",
        "ls -d /proc/[0-9]* | wc -l",
        "env | sort",
      ].join("\n");
      const run = await stageRootfs(["run", ...(await inSandbox(script))], {
        env: { SECRET: "of the host" },
      });
      const lines = run.stdout.trim().split("\n");
      expect(lines.slice(0, 6)).toEqual(["fresh", "/run:", "x", "", "/tmp:", "x"]);
      // Only the loopback device, and no process of the host.
      expect(lines[6]).toBe("1");
      expect(Number(lines[7])).toBeLessThan(8);
      const names = lines.slice(8).map((line) => line.split("=")[0]);
      expect(names).toEqual(["GREETING", "HOME", "PATH", "PWD"]);
    },
  );

  sandboxTest(
    "binds files and directories, read-only where asked, and sets variables",
    async () => {
      const scratch = freshCacheDir("ordinary");
      const { uid, gid } = userFor("ordinary");
      await runAsOrdinaryUser("sh", ["-c", `mkdir ${scratch}/out; echo in >${scratch}/in`]);
      const script = [
        "cat /inputs/deep/in",
        "echo x >/inputs/deep/in",
        'echo "$ODD" >/out/written',
        "pwd",
      ].join("\n");
      const run = await stageRootfs([
        "run",
        ...(await inSandbox(script, [
          ...["--bind", `${scratch}/in:/inputs/deep/in:ro`, "--bind", `${scratch}/out:/out`],
          ...["--env", 'ODD=a=b, "c" $(d)', "--chdir", "/out"],
        ])),
      ]);
      expect(run.stdout).toBe("in\n/out\n");
      expect(run.stderr).toContain("Read-only file system");
      expect(readFileSync(join(scratch, "out/written"), "utf8")).toBe('a=b, "c" $(d)\n');
      expect([uid, gid]).not.toContain(0);
    },
  );

  sandboxTest.for([
    ["SIGTERM", "TERM"],
    ["SIGINT", "INT"],
    ["SIGHUP", "HUP"],
    ["SIGUSR1", "USR1"],
  ] as const)("%s reaches the command, whose status is passed on", async ([signal, name]) => {
    const scratch = freshCacheDir("ordinary");
    const ready = join(scratch, "ready");
    const script = [
      `trap 'echo got ${name}; sleep 0.2; echo done; exit 42' ${name}`,
      "echo >/scratch/ready",
      "while :; do sleep 0.05; done",
    ].join("\n");
    const args = await inSandbox(script, ["--bind", `${scratch}:/scratch`]);
    const run = await stageRootfs(["run", ...args], {
      killWhen: { condition: () => existsAt(ready), signal },
    });
    expect(run).toMatchObject({ stdout: `got ${name}\ndone\n`, exitCode: 42 });
  });

  sandboxTest("hands no descriptors on but the standard ones", async () => {
    const args = await inSandbox("ls /proc/self/fd; ls /proc/self/fd/33/");
    const script = 'exec 7</ 33</; exec "$@"';
    const run = await runArgv(["bash", "-c", script, "bash", ...stageRootfsArgv(["run", ...args])]);
    // The fourth is ls's own, of the directory that it lists.
    expect(run.stdout).toBe("0\n1\n2\n3\n");
    expect(run.stderr).toContain("/proc/self/fd/33");
  });

  sandboxTest("gives 128 + N for a command that signal N killed", async () => {
    const run = await stageRootfs(["run", ...(await inSandbox("kill -9 $$"))]);
    expect(run.exitCode).toBe(137);
  });

  sandboxTest("leaves no survivor when it is killed with SIGKILL", async () => {
    const scratch = freshCacheDir("ordinary");
    const script = "echo >/scratch/ready; while :; do date +%s%N >/scratch/alive; sleep 0.05; done";
    const args = await inSandbox(script, ["--bind", `${scratch}:/scratch`]);
    const run = await stageRootfs(["run", ...args], {
      killWhen: { condition: () => existsAt(join(scratch, "ready")) },
    });
    expect(run.signal).toBe("SIGKILL");
    const beat = () => readFileSync(join(scratch, "alive"), "utf8");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const last = beat();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(beat()).toBe(last);
  });

  sandboxTest("leaves none when it is killed while the sandbox is set up", async () => {
    const scratch = freshCacheDir("ordinary");
    const args = await inSandbox("while :; do date +%s%N >/scratch/alive; sleep 0.05; done", [
      ...["--bind", `${scratch}:/scratch`],
    ]);
    const alive = join(scratch, "alive");
    // The first launch of a cache is preceded by a trial of bwrap.
    await stageRootfs(["run", ...(await inSandbox("true"))]);
    for (let round = 0; round < 10; round++) await killSoon(["run", ...args], { after: 2 * round });
    await sleep(2000);
    rmSync(alive, { force: true });
    await sleep(500);
    expect(existsSync(alive)).toBe(false);
  });

  sandboxTest("says 125 and why when the sandbox can't be started", async () => {
    const args = await inSandbox("true", ["--chdir", "/nowhere"]);
    const run = await stageRootfs(["run", ...args]);
    expect(run.exitCode).toBe(125);
    expect(run.stderr).toMatch(/^stage-rootfs: the working directory \/nowhere is not in[^\n]*\n$/);
  });
});

describe("command", () => {
  sandboxTest("prints a line that a shell runs as run would", async () => {
    const args = await inSandbox('echo "$1" $GREETING; pwd', ["--env", "GREETING=it's $HOME"]);
    const printed = await stageRootfs(["command", ...args, "sh", "two  words; $(no)"]);
    expect(printed).toMatchObject({ stderr: "", exitCode: 0 });
    const run = await runArgv(["sh", "-c", printed.stdout]);
    expect(run).toMatchObject({ stdout: "two  words; $(no) it's $HOME\n/opt/site\n", exitCode: 0 });
  });

  sandboxTest("gives the argv and the environment with --json", async () => {
    const args = await inSandbox("true", ["--json"]);
    const { stdout } = await stageRootfs(["command", ...args]);
    const { argv, env, rootfs } = JSON.parse(stdout);
    expect(argv.slice(-4)).toEqual(["--", "/bin/sh", "-c", "true"]);
    expect(argv).toContain(rootfs);
    expect(env).toMatchObject({ GREETING: "hello there" });
  });
});

/** Starts the program, and kills it so many milliseconds after it has started bwrap. */
async function killSoon(args: readonly string[], { after }: { after: number }): Promise<void> {
  const [program, ...words] = stageRootfsArgv(args);
  const child = spawn(program, words, { ...runningAs("ordinary"), cwd: "/", stdio: "ignore" });
  const ended = once(child, "close");
  const isBwrap = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8") === "bwrap\n";
  while (!childrenOf(child.pid ?? 0).some(isBwrap)) await setImmediate();
  await sleep(after);
  child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);
}

function existsAt(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
