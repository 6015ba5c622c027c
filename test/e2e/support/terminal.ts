import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { runningAs, type UserKind } from "./users.js";

/** A program at a terminal of its own, and who types there. */
export interface Terminal {
  /** Types; control characters are keys, `\x03` for Ctrl-C. */
  readonly type: (keys: string) => void;
  /** Waits until what was written since the last call matches, and gives the match. */
  readonly see: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** All that was written so far. */
  readonly screen: () => string;
  /** Waits for the end; the exit status. */
  readonly ended: () => Promise<number | null>;
}

const patienceMs = 30_000;

/**
 * Starts a line of shell at a new terminal of 33 rows and 101 columns, by way of script(1).
 * @param options.as the ordinary user unless given
 */
export function atTerminal(
  line: string,
  options: { readonly as?: UserKind; readonly env?: Readonly<Record<string, string>> } = {},
): Terminal {
  const argv = ["-qec", `stty rows 33 cols 101; ${line}`, "/dev/null"];
  const { uid, gid, env } = runningAs(options.as ?? "ordinary", {
    TERM: "xterm",
    SHELL: "/bin/sh",
    ...options.env,
  });
  const user = uid === undefined || gid === undefined ? {} : { uid, gid };
  const child = spawn("script", argv, { cwd: "/", env, ...user });
  let screen = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return {
    type: (keys) => {
      child.stdin.write(keys);
    },
    see: async (pattern) => {
      const deadline = Date.now() + patienceMs;
      for (;;) {
        const match = pattern.exec(screen.slice(seen));
        if (match) {
          seen += match.index + match[0].length;
          return match;
        }
        if (Date.now() > deadline) throw new Error(`${pattern} was not seen in: ${screen}`);
        await sleep(10);
      }
    },
    screen: () => screen,
    ended: () => closed,
  };
}
