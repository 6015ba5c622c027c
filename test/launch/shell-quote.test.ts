import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseAssignment } from "../../src/launch/environment.js";
import { quoteWord, toShell } from "../../src/launch/shell-quote.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const words = [
  "",
  "plain",
  "a b",
  " ",
  "  two  ",
  "tab\there",
  "line\nfeed",
  "\n",
  "trailing\n",
  "'",
  "''",
  "it's",
  '"double"',
  "\\",
  "\\n",
  "\\'",
  "$HOME",
  "$(touch pwned)",
  "`touch pwned`",
  "; touch pwned;",
  "& touch pwned &",
  "| touch pwned",
  "> pwned",
  "*",
  "?[a-z]",
  "{a,b}",
  "~",
  "~root",
  "#comment",
  "!history",
  "-n",
  "--",
  "=",
  "A=b",
  "%s",
  "a,b:c@d+e.f/g_h-i",
  "grün 日本 🦊",
  "\x01\x1b[2J\x7f",
  "(sub)",
  "a\rb",
  "if",
];

/** The words that a shell reads in a line. */
function readByShell(line: string, cwd = "/"): string[] {
  const script = `for word in ${line}; do printf '%s\\0' "$word"; done`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8", cwd }).split("\0").slice(0, -1);
}

describe("quoteWord", () => {
  test("gives what a shell reads back as the same words", () => {
    const directory = scratchDirectory();
    expect(readByShell(words.map(quoteWord).join(" "), directory)).toEqual(words);
    expect(existsSync(`${directory}/pwned`)).toBe(false);
  });

  test.each(["plain", "/usr/bin/env", "A=b", "a,b:c@d+e.f/g_h-i%1"])("leaves %s bare", (word) => {
    expect(quoteWord(word)).toBe(word);
  });
});

describe("toShell", () => {
  /** What a shell that is given the line starts: its words and its environment. */
  function started(env: Record<string, string>, argv: readonly string[], cwd = "/") {
    // Node's own process.env does not list names that are numbers, in its older releases.
    const node = `const environ = require("fs").readFileSync("/proc/self/environ", "utf8");
process.stdout.write(JSON.stringify([process.argv.slice(1), environ]))`;
    const command = [process.execPath, "-e", node, "--", ...argv] as const;
    const line = toShell({ argv: command, env, fds: [] });
    const run = spawnSync("sh", ["-c", line], {
      encoding: "utf8",
      cwd,
      env: { ...process.env, STAGE_ROOTFS_TEST_SECRET: "secret" },
    });
    if (run.status !== 0) throw new Error(run.stderr);
    const [words, environ]: [string[], string] = JSON.parse(run.stdout);
    const assignments = environ.split("\0").filter(Boolean);
    const environment = Object.fromEntries(assignments.map(parseAssignment));
    return { words, environment };
  }

  test("starts the command with its words as they are", () => {
    const directory = scratchDirectory();
    expect(started({ PATH: "/usr/bin:/bin" }, words, directory).words).toEqual(words);
    expect(existsSync(`${directory}/pwned`)).toBe(false);
  });

  test("starts it with the whole environment and nothing of the shell's", () => {
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: "/",
      EMPTY: "",
      ODD: words.join("\n"),
      "a b;c": "$(touch pwned)",
      grün: "日本",
    };
    const { environment } = started(env, []);
    // Shells and libraries that run below env may add names of their own.
    expect(environment).toMatchObject(env);
    expect(environment).not.toHaveProperty("STAGE_ROOTFS_TEST_SECRET");
  });

  test("starts the command also where names of the image's look like options of env", () => {
    const directory = scratchDirectory();
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: "/",
      "-S touch pwned #": "x",
      "-u": "PATH",
      "--chdir": "/nowhere",
      "--split-string": "touch pwned",
      "-": "x",
      "1": "one",
    };
    const { environment, words: found } = started(env, ["word"], directory);
    expect(found).toEqual(["word"]);
    expect(environment).toMatchObject(env);
    expect(existsSync(`${directory}/pwned`)).toBe(false);
  });

  test.each(["sh", "bash"])("gives the command what it reads from descriptors, in %s", (shell) => {
    const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256));
    const long = Buffer.alloc(200_000, "--%s\\0'\n");
    const read = 'for fd in 3 4 0; do od -An -v -tx1 <&$fd | tr -d " \\n"; echo; done; exit 3';
    const line = toShell({
      argv: ["sh", "-c", read],
      env: { PATH: "/usr/bin:/bin" },
      fds: [
        { fd: 3, content: bytes },
        { fd: 4, content: long },
      ],
    });
    const script = `${line}\necho "$?"; cat`;
    const directory = scratchDirectory();
    writeFileSync(`${directory}/script`, script);
    const run = spawnSync(shell, [`${directory}/script`], { encoding: "utf8", input: "stdin" });
    expect(run.stdout.split("\n")).toEqual([
      bytes.toString("hex"),
      long.toString("hex"),
      Buffer.from("stdin").toString("hex"),
      "3",
      "",
    ]);
    expect(run.stderr).toBe("");
  });

  test("hands on no descriptor but those, and ends with the command's status", () => {
    const line = toShell({
      argv: [
        "sh",
        "-c",
        "ls -l /proc/self/fd | grep -o '\\b[0-9] -> pipe' | cut -d' ' -f1; exit 7",
      ],
      env: { PATH: "/usr/bin:/bin" },
      fds: [{ fd: 3, content: Buffer.from("x") }],
    });
    const run = spawnSync("sh", ["-c", line], { encoding: "utf8", stdio: ["ignore", "pipe", 2] });
    expect(run).toMatchObject({ status: 7, stdout: "1\n3\n" });
  });
});
