import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { errnoOf } from "../errors.js";
import { statFields } from "./stat-fields.js";

/**
 * Which process, beyond doubt: a PID is reused, but not together with its start time, the boot and
 * the PID namespace that it counts in.
 */
export interface ProcessIdentity {
  readonly host: string;
  readonly bootId: string;
  /** Inode of the PID namespace, as in `pid:[4026531836]`. */
  readonly pidNamespace: string;
  readonly pid: number;
  /** Clock ticks between boot and the process's start: field 22 of /proc/PID/stat. */
  readonly startTime: string;
}

/** `"unknown"`: the process lives where this one cannot look. */
export type Liveness = "alive" | "dead" | "unknown";

let self: ProcessIdentity | undefined;
let boot: string | undefined;

/** The kernel's name for the time since the machine was started. */
export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return boot;
}

export function ownIdentity(): ProcessIdentity {
  self ??= {
    host: hostname(),
    bootId: bootId(),
    pidNamespace: readlinkSync("/proc/self/ns/pid").replace(/\D/g, ""),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? "0",
  };
  return self;
}

/** Whether the process that `identity` names still runs. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  const own = ownIdentity();
  if (identity.host !== own.host) return "unknown";
  if (identity.bootId !== own.bootId) return "dead";
  if (identity.pidNamespace !== own.pidNamespace) return "unknown";
  const startTime = startTimeOf(identity.pid);
  if (startTime !== undefined) return startTime === identity.startTime ? "alive" : "dead";
  return isSignallable(identity.pid) ? "alive" : "dead";
}

/** Undefined where there is no such process, or /proc hides it (the mount option hidepid). */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = statFields(stat);
    const state = fields[0];
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ESRCH" || errno === "EACCES") return undefined;
    throw error;
  }
}

function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** One file-name-safe word; {@link parseIdentity} reads it. */
export function formatIdentity(identity: ProcessIdentity): string {
  const { host, bootId, pidNamespace, pid, startTime } = identity;
  return [encodeURIComponent(host), bootId, pidNamespace, pid, startTime].join(",");
}

/** Undefined for a word that {@link formatIdentity} does not write. */
export function parseIdentity(word: string): ProcessIdentity | undefined {
  const match = /^([^,]+),([0-9a-f-]{36}),(\d+),([1-9]\d*),(\d+)$/.exec(word);
  if (!match) return undefined;
  const [, encodedHost = "", bootId = "", pidNamespace = "", pid = "", startTime = ""] = match;
  try {
    const host = decodeURIComponent(encodedHost);
    return { host, bootId, pidNamespace, pid: Number(pid), startTime };
  } catch {
    return undefined;
  }
}
