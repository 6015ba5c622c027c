import { join } from "node:path";
import { printable } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import type { Mount } from "../mount.js";
import type { LaunchFault } from "./fault.js";
import type { Host } from "./host.js";

/**
 * Read-only binds that would show other file systems writable, those that are mounted below their
 * sources: for runtimes that make the bind itself read-only and nothing below it.
 */
export function submountFaults(
  mounts: readonly Mount[],
  host: Pick<Host, "writableBelow">,
): readonly LaunchFault[] {
  return mounts.flatMap((mount) => {
    if (mount.type !== "bind" || mount.access !== "ro") return [];
    const { source, target } = mount;
    const others = mounts.filter((other) => other.target !== target);
    // What something else is mounted on can't be seen.
    const isOpen = (path: string) =>
      !others.some(
        (other) => isWithin(join(target, path), other.target) && isWithin(other.target, target),
      );
    const open = host.writableBelow(source).find(isOpen);
    if (open === undefined) return [];
    return [
      {
        code: "BIND_SUBMOUNT_WRITABLE",
        message: `${printable(join(source, open))} has a file system of its own, which would be writable although ${printable(source)} is to be read-only`,
        hint: "bind it read-only too, or use bwrap",
      } as const,
    ];
  });
}
