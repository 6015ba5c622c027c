import { printable } from "../host/byte-string.js";
import { cannot } from "./cannot.js";
import { type BindMount, isWithin, type Mount } from "./mount.js";

/** Empty and fresh in every sandbox of Apptainer's that contains all. */
const always: ReadonlySet<string> = new Set(["/tmp", "/var/tmp"]);

/**
 * Mounts as options of Apptainer's. It mounts /proc and /dev itself, then what is fresh, and then
 * the binds, in their order.
 * @throws StageError SANDBOX
 */
export function mountFlags(mounts: readonly Mount[]): readonly string[] {
  return mounts.flatMap((mount, i) => {
    if (mount.type === "bind") return bindFlags(mount);
    if (mount.type !== "tmpfs") return systemFlags(mount);
    const { target } = mount;
    const over = mounts.slice(0, i).find((m) => m.type === "bind" && isWithin(target, m.target));
    if (over) {
      throw cannot("apptainer", `mounts nothing fresh on ${printable(target)}, below a bind`, {
        hint: "bind a directory there, or use bwrap",
      });
    }
    return always.has(target) ? [] : ["--scratch", csvField(target)];
  });
}

function systemFlags({ type, target }: Mount): readonly string[] {
  if (target === `/${type}`) return [];
  throw cannot("apptainer", `has /${type} nowhere else, but the image links it to ${target}`, {
    hint: "use bwrap",
  });
}

/** One bind as options of Apptainer's. @throws StageError SANDBOX for devices */
export function bindFlags({ source, target, access }: BindMount): readonly string[] {
  if (access === "dev") {
    throw cannot("apptainer", `gives no access to the device ${printable(source)}`, {
      hint: "use --gpu nvidia for GPUs, or bwrap",
    });
  }
  // What --bind would split at; the longer form is of 1.0 and later.
  if (/^[^:,\\]+$/.test(source + target)) return ["--bind", `${source}:${target}:${access}`];
  const fields = ["type=bind", `source=${source}`, `destination=${target}`];
  return ["--mount", [...fields, ...(access === "ro" ? ["ro"] : [])].map(csvField).join(",")];
}

/** A field of comma-separated values, as RFC 4180 quotes it. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
