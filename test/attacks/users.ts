import type { TestContext } from "vitest";
import type { OwnershipPolicy } from "../../src/extract/policy.js";
import { asUser } from "../support/as-user.js";

const isRoot = process.geteuid?.() === 0;

/** Whom an attack is directed at. */
export type UserKind = "root" | "an ordinary user";
export const userKinds: readonly UserKind[] = ["root", "an ordinary user"];

/** What each of them stages with by default. */
export const policies: Readonly<Record<UserKind, OwnershipPolicy>> = {
  root: { owner: "image", setuid: "drop" },
  "an ordinary user": { owner: "squash", setuid: "drop" },
};

/** Whether working as `user` takes that root turns into somebody else. */
export function isDisguised(user: UserKind): boolean {
  return isRoot && user !== "root";
}

/** Skips the running test where nobody can be `user`. */
export function requireUser(user: UserKind, { skip }: Pick<TestContext, "skip">): void {
  if (user === "root" && !isRoot) skip("this half of the table runs only as root");
}

/**
 * Does `act` as `user`, in the working directory `cwd`: whoever takes a path from an image for one
 * of this process must find something there.
 */
export async function workAs(
  user: UserKind,
  { cwd, act }: { cwd: string; act: () => Promise<void> },
): Promise<void> {
  const home = process.cwd();
  process.chdir(cwd);
  try {
    await (isDisguised(user) ? asUser([], act) : act());
  } finally {
    process.chdir(home);
  }
}
