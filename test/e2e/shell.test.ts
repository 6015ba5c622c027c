import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { quoteWord } from "../../src/launch/shell-quote.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv, stageRootfs, stageRootfsArgv } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { nixImage } from "./support/nix-image.js";
import { findProgram, testNeeding } from "./support/programs.js";
import { atTerminal } from "./support/terminal.js";
import type { UserKind } from "./support/users.js";
import { warmCaches } from "./support/warm-cache.js";

const shellTest = testNeeding([...debianImageNeeds, "bwrap"]);
const terminalTest = testNeeding([...debianImageNeeds, "bwrap", "script"]);

const image = async () => (await debianImage()).forms.dockerArchive;
const cacheOf = warmCaches(image);

/** Arguments that name the Debian image and a cache that has it. */
async function imageArgs(as: UserKind = "ordinary"): Promise<string[]> {
  return ["--bwrap", "-q", "--cache-dir", await cacheOf(as), await image()];
}

/** The program's command line for a shell. */
function line(args: readonly string[]): string {
  return stageRootfsArgv(args).map(quoteWord).join(" ");
}

const prompt = /[#$] $/;

describe.each(["root", "ordinary"] as const)("shell at a terminal, as %s", (as) => {
  terminalTest("has job control, the window's size and the terminal's kind", async () => {
    const terminal = atTerminal(line(["shell", ...(await imageArgs(as))]), { as });
    await terminal.see(prompt);
    terminal.type("stty size; echo $TERM:$0\n");
    await terminal.see(/33 101\r\n.*xterm:\/bin\/bash/);
    const job = `sh -c 'trap "echo again" CONT; echo up; while :; do sleep 0.1; done'`;
    terminal.type(`${job}\n`);
    await terminal.see(/[\r\n]up\r\n/);
    terminal.type("\x03");
    await terminal.see(prompt);
    terminal.type(`echo status $?; ${job}\n`);
    await terminal.see(/[\r\n]status 130\r\nup\r\n/);
    terminal.type("\x1a");
    await terminal.see(/Stopped/);
    terminal.type("fg\n");
    await terminal.see(/[\r\n]again\r\n/);
    terminal.type("\x03");
    await terminal.see(prompt);
    terminal.type("exit 9\n");
    expect(await terminal.ended()).toBe(9);
    expect(terminal.screen()).not.toMatch(/no job control|cannot set terminal/i);
  });
});

describe("shell", () => {
  shellTest("without a terminal reads commands from standard input", async () => {
    const input = 'echo "$0"; pwd; exit 7\n';
    const run = await stageRootfs(["shell", ...(await imageArgs())], { input });
    expect(run).toMatchObject({ stdout: "/bin/bash\n/opt/site\n", stderr: "", exitCode: 7 });
  });

  shellTest("RepX's debug-run: is the sandbox of run, only the command differs", async () => {
    const scratch = freshCacheDir("ordinary");
    const log = join(scratch, "argv");
    const spy = join(scratch, "bwrap");
    // What follows -- is the command, whose first word tells the launches from trials of bwrap.
    const script = `#!/bin/sh\nprintf '%s\\n' "$@" >>${log}\nexec ${findProgram("bwrap")} "$@"\n`;
    writeFileSync(spy, script, { mode: 0o755 });
    const env = { PATH: `${scratch}:${process.env["PATH"]}` };
    const options = ["--output", `${scratch}:/out`, "--uid-0", "--hostname", "box", "--env", "A=b"];
    const args = [...options, ...(await imageArgs())];
    const planOf = async (words: readonly string[]) => {
      writeFileSync(log, "", { mode: 0o666 });
      await runArgv(["chmod", "666", log], { as: "root" });
      const run = await stageRootfs(words, { env, input: "env\n" });
      const argv = readFileSync(log, "utf8").trimEnd().split("\n");
      const last = argv.slice(argv.lastIndexOf("--json-status-fd"));
      const end = last.lastIndexOf("--");
      return { run, sandbox: last.slice(0, end), command: last.slice(end + 1) };
    };
    const run = await planOf(["run", ...args, "--", "/bin/bash", "--posix"]);
    const shell = await planOf(["shell", ...args]);
    expect(shell.sandbox).toEqual(run.sandbox);
    expect(shell.sandbox).toContain("/out");
    expect([run.command, shell.command]).toEqual([["/bin/bash", "--posix"], ["/bin/bash"]]);
    const variables = (text: string) => text.split("\n").filter((each) => !each.startsWith("_="));
    expect(variables(shell.run.stdout)).toEqual(
      variables(run.run.stdout).filter((each) => !each.startsWith("POSIXLY_CORRECT=")),
    );
    expect(shell.run.stdout).toContain("out=/out\n");
  });

  shellTest("takes a Nix image's shell, which is not in /bin", async () => {
    const { archive, shellPath } = await nixImage();
    const cache = ["--cache-dir", freshCacheDir("ordinary")];
    const env = ["--env", `PATH=${shellPath}/bin`];
    const run = await stageRootfs(["shell", "-q", ...cache, ...env, archive], {
      input: "echo $0\n",
    });
    expect(run).toMatchObject({ stdout: expect.stringMatching(/\/sh\n$/), exitCode: 0 });
  });

  shellTest("takes no command", async () => {
    const run = await stageRootfs(["shell", ...(await imageArgs()), "--", "/bin/true"]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toContain("takes no command");
  });

  terminalTest("gives the terminal back to a script that goes on reading from it", async () => {
    const args = await imageArgs();
    const terminal = atTerminal(`${line(["shell", ...args])}; read answer; echo "<$answer>"`);
    await terminal.see(prompt);
    terminal.type("exit\n");
    await terminal.see(/exit\r\n/);
    terminal.type("forty-two\n");
    await terminal.see(/<forty-two>/);
    expect(await terminal.ended()).toBe(0);
  });
});

describe("run --tty", () => {
  terminalTest("gives the command the terminal, and passes its status on", async () => {
    const test = "test -t 0 && test -t 1 && tty <&1 >/dev/null; stty size; exit 6";
    const terminal = atTerminal(
      line(["run", "-t", ...(await imageArgs()), "--", "sh", "-c", test]),
    );
    await terminal.see(/33 101/);
    expect(await terminal.ended()).toBe(6);
  });

  terminalTest("ends with the command that Ctrl-C ends", async () => {
    const args = [...(await imageArgs()), "--", "sh", "-c", "echo ready; sleep 100"];
    const terminal = atTerminal(line(["run", "-t", ...args]));
    await terminal.see(/ready/);
    terminal.type("\x03");
    expect(await terminal.ended()).toBe(130);
  });

  terminalTest("stops and goes on as a job of the caller's shell", async () => {
    const args = [...(await imageArgs()), "--", "sh", "-c", "echo ready; sleep 2; echo done"];
    const terminal = atTerminal("PS1='host> ' bash --norc -i");
    await terminal.see(/host> /);
    terminal.type(`${line(["run", "-t", ...args])}\n`);
    await terminal.see(/ready\r\n/);
    terminal.type("\x1a");
    await terminal.see(/Stopped.*\r\n.*host> /s);
    terminal.type("fg\n");
    await terminal.see(/done\r\n/);
    await terminal.see(/host> /);
    terminal.type("exit 0\n");
    expect(await terminal.ended()).toBe(0);
  });

  terminalTest("lets nothing in the sandbox type into the terminal", async () => {
    const TIOCSTI = 0x5412;
    const perl = `my $key = "x"; ioctl(STDIN, ${TIOCSTI}, $key) and die; print "errno ", $!+0, "\\n"`;
    const args = [...(await imageArgs()), "--", "perl", "-e", perl];
    const terminal = atTerminal(line(["run", "--tty", ...args]));
    await terminal.see(/errno 1\r\n/);
    expect(await terminal.ended()).toBe(0);
  });

  shellTest("is refused without a terminal, before anything is staged", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const run = await stageRootfs(["run", "-t", "--cache-dir", cacheDir, await image()]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toMatch(/^stage-rootfs: --tty needs a terminal[^\n]*\n$/);
    expect(existsSync(join(cacheDir, "v1"))).toBe(false);
  });
});
