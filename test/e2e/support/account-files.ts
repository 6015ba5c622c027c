import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { User } from "./users.js";

/** Somebody who is to have an account. */
export interface NamedUser extends User {
  readonly name: string;
  readonly home: string;
}

/** Lists of users and groups: this machine's, and more. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** Writes such lists into a directory; this machine's files stay as they are. */
export function writeAccountFiles(directory: string, users: readonly NamedUser[]): AccountFiles {
  const write = (file: "passwd" | "group", lines: readonly string[]) => {
    const path = join(directory, file);
    writeFileSync(path, [readFileSync(`/etc/${file}`, "utf8").trimEnd(), ...lines, ""].join("\n"));
    return path;
  };
  return {
    passwd: write(
      "passwd",
      users.map(({ name, uid, gid, home }) => `${name}:x:${uid}:${gid}::${home}:/bin/sh`),
    ),
    group: write(
      "group",
      users.map(({ name, gid }) => `${name}:x:${gid}:`),
    ),
  };
}

/** A shell's lines that put such lists in the place of this machine's, in a mount namespace. */
export function mountAccounts({ passwd, group }: AccountFiles): string {
  return `mount --bind '${passwd}' /etc/passwd && mount --bind '${group}' /etc/group`;
}
