import { chownSync } from "node:fs";

const nobody = 65534;

/** For root: does `act` as a user whom permissions apply to, and who is given some files first. */
export async function asUser<Value>(
  files: readonly string[],
  act: () => Promise<Value>,
): Promise<Value> {
  for (const file of files) chownSync(file, nobody, nobody);
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
