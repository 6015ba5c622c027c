import { rmSync } from "node:fs";
import { onTestFinished } from "vitest";
import { mountAccounts, writeAccountFiles } from "./account-files.js";
import { type RunOptions, type RunResult, runArgv } from "./cli.js";
import { makeScratchDir } from "./places.js";
import { isRoot, type UserKind, userFor } from "./users.js";

/** Somebody with a name and a home directory, which some programs do not do without. */
export interface Account {
  /** Where the home directory is, which belongs to the user. */
  readonly home: string;
  readonly run: (
    argv: readonly [string, ...string[]],
    options?: Omit<RunOptions, "as">,
  ) => Promise<RunResult>;
}

const becomeUser =
  'user=$1; shift; exec setpriv --reuid "$user" --regid "$user" --clear-groups "$@"';

/**
 * Gives a user an account for the running test: the ordinary user has none, so that tests see what
 * happens then. It is one in a mount namespace of its own; the machine's files stay as they are.
 */
export function accountOf(kind: UserKind): Account {
  const user = userFor(kind);
  const scratch = makeScratchDir("account", { mode: 0o755 });
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const home = makeScratchDir("home", { mode: 0o700, owner: user });
  onTestFinished(() => rmSync(home, { recursive: true }));
  if (!isRoot() || kind === "root")
    return { home, run: (argv, o) => runArgv(argv, { ...o, as: kind }) };
  const files = writeAccountFiles(scratch, [{ ...user, name: "tester", home }]);
  const script = `${mountAccounts(files)} && ${becomeUser}`;
  const prefix = ["--mount", "sh", "-c", script, "sh", String(user.uid)];
  return { home, run: (argv, o) => runArgv(["unshare", ...prefix, ...argv], { ...o, as: "root" }) };
}
