import { existsSync } from "node:fs";
import type { BindMount } from "./mount.js";
import type { Runtime } from "./runtime.js";

/** What below /proc sets the kernel of the whole machine, or parts of it. */
const settings = [
  ...["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "asound", "scsi", "driver", "mtrr"],
  ...["dynamic_debug", "latency_stats"],
];

/** Those that this kernel has: paths below /proc. */
export function kernelFiles(): readonly string[] {
  return settings.filter((name) => existsSync(`/proc/${name}`));
}

/**
 * What keeps root's commands from setting the host's kernel: to these files root is root in any user
 * namespace and without capabilities, and by `core_pattern` alone could run what it wants on the
 * host. They are mounted over themselves, read-only. Others' commands need none of that.
 * @param options.proc where the sandbox has its /proc; default: `/proc`
 */
export function kernelMounts(
  { caller, kernelFiles: names = ["sys"] }: Pick<Runtime, "caller" | "kernelFiles">,
  { proc = "/proc" }: { readonly proc?: string } = {},
): readonly BindMount[] {
  if (caller && caller.uid !== 0) return [];
  return names.map((name) => {
    return { type: "bind", source: `/proc/${name}`, target: `${proc}/${name}`, access: "ro" };
  });
}
