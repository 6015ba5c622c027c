import { printable } from "../../host/byte-string.js";
import { isWithin } from "../../host/is-within.js";
import type { BindMount, Mount } from "../mount.js";
import { cannot } from "./cannot.js";
import { csvField } from "./csv-field.js";

/** Empty and fresh in every sandbox of Apptainer's that contains all. */
const always: ReadonlySet<string> = new Set(["/tmp", "/var/tmp", "/dev/shm"]);

/**
 * Mounts as options of Apptainer's. It mounts /proc and /dev itself, then what is fresh, and then
 * the binds, in their order.
 * @throws StageError SANDBOX
 */
export function mountFlags(mounts: readonly Mount[]): readonly string[] {
  return mounts.flatMap((mount, i) => {
    if (mount.type === "bind") return bindFlags(mount);
    if (mount.type !== "tmpfs") return systemFlags(mount);
    return freshFlags(mount.target, { before: mounts.slice(0, i) });
  });
}

function systemFlags({ type, target }: Mount): readonly string[] {
  if (target === `/${type}`) return [];
  throw cannot("apptainer", `has /${type} nowhere else, but the image links it to ${target}`, {
    hint: "use bwrap",
  });
}

function freshFlags(
  target: string,
  { before }: { readonly before: readonly Mount[] },
): readonly string[] {
  const isBelowBind = before.some((m) => m.type === "bind" && isWithin(target, m.target));
  if (isBelowBind || (isInDev(target) && !always.has(target))) {
    const where = isBelowBind ? "a bind" : "/dev";
    throw cannot("apptainer", `mounts nothing fresh on ${printable(target)}, below ${where}`, {
      hint: "bind a directory there, or use bwrap",
    });
  }
  return always.has(target) ? [] : ["--scratch", csvField(target)];
}

/** One bind as options of Apptainer's. @throws StageError SANDBOX for some of devices */
export function bindFlags({ source, target, access }: BindMount): readonly string[] {
  const isDevice = access === "dev";
  // Anything else below its /dev it would leave out, with a mere warning.
  if (isDevice ? source !== target || !isInDev(target) : isInDev(target)) {
    throw cannot("apptainer", `can't mount ${printable(source)} on ${printable(target)}`, {
      hint: "below /dev there can only be devices, where the host has them; or use bwrap",
    });
  }
  const mode = isDevice ? "rw" : access;
  // What --bind would split at; the longer form is of 1.0 and later.
  if (/^[^:,\\]+$/.test(source + target)) return ["--bind", `${source}:${target}:${mode}`];
  const fields = ["type=bind", `source=${source}`, `destination=${target}`];
  return ["--mount", [...fields, ...(mode === "ro" ? ["ro"] : [])].map(csvField).join(",")];
}

function isInDev(path: string): boolean {
  return isWithin(path, "/dev");
}
