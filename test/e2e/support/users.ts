import { execa } from "execa";

/** Who a program runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The kinds of user that the end-to-end tests run as. */
export type UserKind = "root" | "ordinary" | "another";

const processUser = (): User => ({
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
});

/** Whether the tests run as root, and may therefore become anybody. */
export function isRoot(): boolean {
  return processUser().uid === 0;
}

/**
 * `root` is root, `another` somebody else than `ordinary`, and both an error when the tests don't run as root. `ordinary` is a user with no
 * account, no supplementary groups and no subuids; when the tests don't run as root it is whoever
 * runs them.
 */
export function userFor(kind: UserKind): User {
  if (kind === "another") {
    if (isRoot()) return { uid: 23457, gid: 23457 };
    throw new Error("This test needs root: ask for it with testNeeding(['root', ...]).");
  }
  if (kind === "ordinary") {
    return isRoot() ? { uid: 23456, gid: 23456 } : processUser();
  }
  if (!isRoot()) {
    throw new Error("This test needs root: ask for it with testNeeding(['root', ...]).");
  }
  return processUser();
}

/**
 * Execa options that run a program as `kind`, with nothing but PATH and `env` in its environment, and
 * what allows caches in memory, where tests have theirs.
 */
export function runningAs(
  kind: UserKind,
  env: Readonly<Record<string, string>> = {},
): { uid?: number; gid?: number; env: Record<string, string>; extendEnv: false } {
  const credentials = isRoot() ? userFor(kind) : {};
  const { PATH = "" } = process.env;
  const allowed = { STAGE_ROOTFS_ALLOW_DISK: "tmpfs" };
  return { ...credentials, env: { PATH, ...allowed, ...env }, extendEnv: false };
}

/** Runs a program as the ordinary user; throws, with the program's stderr, when it fails. */
export async function runAsOrdinaryUser(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await execa(command, args, { cwd: "/", ...runningAs("ordinary") });
  return stdout;
}
