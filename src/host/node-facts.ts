import { readdirSync } from "node:fs";
import { arch, hostname, release, totalmem } from "node:os";
import { usableProcessors } from "./processors.js";
import { readTextIfAny } from "./read-text-if-any.js";

/** What a machine is, and how much of it this process may use. */
export interface NodeFacts {
  readonly hostname: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly node: string;
  readonly uid: number;
  readonly gid: number;
  readonly processors: number;
  /** In bytes: the machine's, or what the control group allows of it. */
  readonly memory: number;
  readonly isMemoryLimited: boolean;
  /** Whether a program can type into its terminal (TIOCSTI); null where the kernel does not say. */
  readonly terminalInjection: boolean | null;
  /** Device nodes of NVIDIA's driver, by path. */
  readonly nvidiaDevices: readonly string[];
}

export function nodeFacts(): NodeFacts {
  const { bytes, isLimited } = usableMemory(process.constrainedMemory(), totalmem());
  const injection = readTextIfAny("/proc/sys/dev/tty/legacy_tiocsti")?.trim();
  return {
    hostname: hostname(),
    kernel: release(),
    architecture: arch(),
    node: process.versions.node,
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    processors: usableProcessors(),
    memory: bytes,
    isMemoryLimited: isLimited,
    terminalInjection: injection === undefined ? null : injection === "1",
    nvidiaDevices: nvidiaDevices(),
  };
}

/** Node's `limit` is 0, or more than there is, where there is none. */
export function usableMemory(
  limit: number,
  total: number,
): { readonly bytes: number; readonly isLimited: boolean } {
  const isLimited = limit > 0 && limit < total;
  return { bytes: isLimited ? limit : total, isLimited };
}

function nvidiaDevices(): readonly string[] {
  try {
    const names = readdirSync("/dev").filter((name) => /^nvidia(\d+|ctl|-uvm)$/.test(name));
    return names.sort().map((name) => `/dev/${name}`);
  } catch {
    return [];
  }
}
