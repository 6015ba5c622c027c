import { lchownSync } from "node:fs";

/** The user whom {@link asUser} turns into, and that user's group. */
const nobody = 65534;

/** For root: does `act` as a user whom permissions apply to, and who is given some files first. */
export async function asUser<Value>(
  files: readonly string[],
  act: () => Promise<Value>,
): Promise<Value> {
  giveToUser(files);
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([]);
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

/** For root: gives files and links away. */
export function giveToUser(files: readonly string[]): void {
  for (const file of files) lchownSync(file, nobody, nobody);
}
