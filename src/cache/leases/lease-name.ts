import {
  formatIdentity,
  type ProcessIdentity,
  parseIdentity,
} from "../../host/process-identity.js";

/** What keeps an entry of the cache from being removed, and for how long. */
export type Lease =
  /** Until it is released, or Slurm no longer knows the job. */
  | { readonly kind: "job"; readonly id: string }
  /** As long as the process lives. */
  | { readonly kind: "process"; readonly identity: ProcessIdentity }
  /** Until a time, in milliseconds since 1970. The word tells it from others of that time. */
  | { readonly kind: "until"; readonly time: number; readonly word: string };

/** The latest time that a Date holds, in milliseconds since 1970. */
const latestTime = 8.64e15;

/**
 * Stands for the leases on an entry of which nobody can tell what they are, since their directory
 * can't be read. It never ends.
 */
export const unreadableLeases: Lease & { kind: "until" } = {
  kind: "until",
  time: latestTime,
  word: "unreadable",
};

/** The name of a lease's file, at most 255 bytes long; {@link parseLease} reads it. */
export function formatLease(lease: Lease): string {
  switch (lease.kind) {
    case "job":
      return `job-${lease.id}`;
    case "process": {
      const { identity } = lease;
      return `process-${formatIdentity({ ...identity, host: shortHost(identity.host) })}`;
    }
    case "until":
      return `until-${lease.time}-${lease.word}`;
  }
}

/**
 * Undefined for a name that {@link formatLease} does not give, with or without `~` and a word behind
 * it, by which it is another user's lease on the same.
 */
export function parseLease(fileName: string): Lease | undefined {
  const name = fileName.replace(/~[0-9a-z-]{1,64}$/, "");
  if (name.startsWith("process-")) {
    const identity = parseIdentity(name.slice("process-".length));
    return identity && { kind: "process", identity };
  }
  const [, id] = /^job-(.+)$/.exec(name) ?? [];
  if (id !== undefined) return isJobId(id) ? { kind: "job", id } : undefined;
  const [, digits = "", word = ""] = /^until-(\d{1,16})-([0-9a-z-]{1,64})$/.exec(name) ?? [];
  const time = Number(digits);
  return word !== "" && time <= latestTime ? { kind: "until", time, word } : undefined;
}

/** A job's number; of a job array or a heterogeneous job perhaps with that of the part. */
export function isJobId(text: string): boolean {
  return /^\d{1,20}(?:[_+]\d{1,20})?$/.test(text);
}

/** A lease as results and listings show it. */
export function describeLease(lease: Lease): string {
  switch (lease.kind) {
    case "job":
      return `slurm-${lease.id}`;
    case "process":
      return `process-${lease.identity.pid}`;
    case "until":
      if (lease.word === unreadableLeases.word) return lease.word;
      return `until-${new Date(lease.time).toISOString().replace(/\.\d{3}Z$/, "Z")}`;
  }
}

/** What a host's name may take of a file's name, in the form that is written there. */
const longestHost = 120;

/** As much of a host's name as fits into a lease's name; all of it, with the usual kind. */
export function shortHost(host: string): string {
  if (encodeURIComponent(host).length <= longestHost) return host;
  let short = "";
  for (const character of host) {
    if (encodeURIComponent(short + character).length > longestHost) break;
    short += character;
  }
  return short;
}
