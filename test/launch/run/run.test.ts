import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { compileSources } from "../../support/compiled-sources.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/** Runs a launch in a process of its own, whose streams and signals are then the command's. */
const driver = `
import { runLaunch } from "./compiled/launch/run/run.js";
const { argv, fds = [], abortAfter, ...options } = JSON.parse(process.argv[2]);
const contents = fds.map(({ fd, size }) => ({ fd, content: Buffer.alloc(size, fd) }));
const command = { argv, env: { PATH: "/usr/bin:/bin", ONLY: "this" }, fds: contents };
const signal = abortAfter === undefined ? undefined : AbortSignal.timeout(abortAfter);
const runtime = { name: "native", program: "" };
const answer = await runLaunch(command, { runtime, plan: { terminal: false }, signal, ...options })
  .catch(({ name, code, message }) => ({ name, code, message }));
process.stderr.write(JSON.stringify(answer));
`;

let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "stage-rootfs-test-"));
  compileSources(directory);
  writeFileSync(join(directory, "driver.js"), driver);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Wish {
  readonly argv: readonly string[];
  readonly fds?: readonly { readonly fd: number; readonly size: number }[];
  readonly timeout?: number;
  readonly grace?: number;
  readonly abortAfter?: number;
}

function launched(wish: Wish): ChildProcess {
  const child = spawn(process.execPath, [join(directory, "driver.js"), JSON.stringify(wish)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** What the command wrote, and what the launch gave. */
async function outcomeOf(child: ChildProcess): Promise<{ stdout: string; answer: unknown }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return { stdout, answer: JSON.parse(stderr) };
}

const script = (text: string) => ["/bin/sh", "-c", text];

const ended = (status: number) => ({ status, timedOut: null });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

describe("runLaunch, without any sandbox", () => {
  test.each([
    ["its exit status", "exit 3", ended(3)],
    ["128 + N for a signal", "kill -KILL $$", ended(137)],
  ])("gives %s", async (_, text, answer) => {
    expect((await outcomeOf(launched({ argv: script(text) }))).answer).toEqual(answer);
  });

  test("leaves the standard streams to the command, and gives it its environment", async () => {
    const child = launched({ argv: script('cat; echo "$ONLY$HOME"') });
    child.stdin?.end("from stdin\n");
    expect((await outcomeOf(child)).stdout).toBe("from stdin\nthis\n");
  });

  test("hands contents over, longer than a pipe holds, that can be opened by name too", async () => {
    const fds = [
      { fd: 3, size: 300_000 },
      { fd: 4, size: 2 },
    ];
    const text = "wc -c <&3; od -An -tu1 /dev/fd/4; ls /proc/self/fd | tr '\\n' ' '";
    const { stdout } = await outcomeOf(launched({ argv: script(text), fds }));
    // The fifth is that of ls itself, of the directory that it lists.
    expect(stdout).toBe("300000\n   4   4\n0 1 2 3 4 5 ");
  });

  test("passes signals on", async () => {
    const ready = join(scratchDirectory(), "ready");
    const text = `trap 'echo got it; exit 42' USR1; echo >${ready}; while :; do sleep 0.02; done`;
    const child = launched({ argv: script(text) });
    const outcome = outcomeOf(child);
    await until(() => existsSync(ready));
    child.kill("SIGUSR1");
    expect(await outcome).toEqual({ stdout: "got it\n", answer: ended(42) });
  });

  test("ends what is out of time, or was aborted", async () => {
    const sleeping = { argv: ["/bin/sleep", "60"] };
    const stubborn = { argv: script("trap '' TERM; while :; do sleep 0.02; done"), grace: 0.2 };
    expect((await outcomeOf(launched({ ...sleeping, timeout: 0.1 }))).answer).toEqual({
      status: 124,
      timedOut: "SIGTERM",
    });
    expect((await outcomeOf(launched({ ...stubborn, timeout: 0.1 }))).answer).toEqual({
      status: 137,
      timedOut: "SIGKILL",
    });
    expect((await outcomeOf(launched({ ...sleeping, abortAfter: 100 }))).answer).toMatchObject({
      name: "TimeoutError",
    });
  });

  test("leaves no survivor when it is killed itself", async () => {
    const alive = join(scratchDirectory(), "alive");
    const child = launched({
      argv: script(`(while :; do date +%s%N >${alive}; sleep 0.02; done) & wait`),
    });
    await until(() => existsSync(alive) && readFileSync(alive, "utf8") !== "");
    child.kill("SIGKILL");
    await sleep(200);
    const last = readFileSync(alive, "utf8");
    await sleep(200);
    expect(readFileSync(alive, "utf8")).toBe(last);
  });
});
