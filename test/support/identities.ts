import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  formatIdentity,
  ownIdentity,
  type ProcessIdentity,
} from "../../src/host/process-identity.js";

/** The identity of a process of this machine that runs. */
export function identityOf(pid: number): ProcessIdentity {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return { ...ownIdentity(), pid, startTime };
}

/** Identities of processes that are no more, each in another way. */
export function deadIdentities(): Readonly<Record<string, ProcessIdentity>> {
  const ended = spawnSync("true").pid;
  return {
    "a process that has ended": { ...ownIdentity(), pid: ended, startTime: "1" },
    "a process whose PID is another's now": { ...ownIdentity(), startTime: "1" },
    "a process of before the last boot": {
      ...ownIdentity(),
      bootId: "00000000-0000-4000-8000-000000000000",
    },
  };
}

/** Identities of processes that can't be looked for from here. */
export const foreignIdentities: Readonly<Record<string, ProcessIdentity>> = {
  "a process of another host": { ...ownIdentity(), host: "elsewhere" },
  "a process of another PID namespace": { ...ownIdentity(), pidNamespace: "1" },
};

/** The name of a file or directory that belongs to a process. */
export function ownedName(identity: ProcessIdentity): string {
  return `${formatIdentity(identity)},0123456789ab`;
}
