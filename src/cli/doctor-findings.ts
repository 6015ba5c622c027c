import { printable } from "../host/byte-string.js";
import { formatSize } from "../host/quantity.js";
import type { RuntimeExamination } from "../launch/choice/examine-runtimes.js";
import { type DoctorReport, usableRuntime } from "./doctor-report.js";

/** One line of the report for people. */
export interface Finding {
  /** `--`: it is not there, and need not be. */
  readonly mark: "ok" | "no" | "--";
  readonly what: string;
  readonly says: string;
  readonly remedy?: string | undefined;
}

/** What a report says, one finding after the other. */
export function findingsOf(report: DoctorReport): readonly Finding[] {
  return [
    ...nodeFindings(report),
    ...permissionFindings(report),
    ...cacheFindings(report),
    ...partFindings(report),
    ...report.runtimes.flatMap(runtimeFindings),
    verdict(report),
  ];
}

function fact(what: string, says: string): Finding {
  return { mark: "ok", what, says };
}

/** Something that may be there or not. */
function maybe(
  what: string,
  { is, says }: { readonly is: boolean; readonly says: string },
): Finding {
  return { mark: is ? "ok" : "--", what, says };
}

function nodeFindings({ node, slurm }: DoctorReport): readonly Finding[] {
  const { memory, isMemoryLimited, nvidiaDevices } = node;
  const limit = isMemoryLimited ? ", by the control group" : "";
  return [
    fact("node", printable(node.hostname)),
    fact("kernel", `Linux ${node.kernel}, ${node.architecture}`),
    fact("Node", node.node),
    fact("user", `uid ${node.uid}, gid ${node.gid}`),
    fact("processors", String(node.processors)),
    fact("memory", `${formatSize(memory)}${limit}`),
    maybe("NVIDIA", {
      is: nvidiaDevices.length > 0,
      says: nvidiaDevices.join(" ") || "no devices",
    }),
    maybe("Slurm", {
      is: slurm.squeue !== undefined,
      says: `${slurm.squeue ?? "no squeue"}${slurm.job ? `, in job ${printable(slurm.job)}` : ""}`,
    }),
  ];
}

function permissionFindings({ limits, engines, node }: DoctorReport): readonly Finding[] {
  const most = limits.maxUserNamespaces;
  const hasNamespaces = most !== undefined && most > 0 && limits.unprivilegedUserNamespaces;
  const reason = most === 0 ? "the limit is 0" : most === undefined ? "unknown" : "switched off";
  const ids = Math.min(engines.subordinateUids, engines.subordinateGids);
  const filter = limits.seccomp ? "filtered" : "not filtered";
  return [
    {
      mark: hasNamespaces ? "ok" : "no",
      what: "user namespaces",
      says: hasNamespaces ? `up to ${most}` : reason,
    },
    maybe("AppArmor", {
      is: !limits.appArmorRestricts,
      says: limits.appArmorRestricts ? "restricts user namespaces" : "restricts no user namespaces",
    }),
    maybe("system calls", {
      is: !limits.seccomp && !limits.noNewPrivileges,
      says: limits.noNewPrivileges ? `${filter}; setuid programs have no effect` : filter,
    }),
    maybe("subordinate IDs", { is: ids > 0, says: ids > 0 ? String(ids) : "none" }),
    maybe("control groups", { is: engines.cgroups === "v2", says: engines.cgroups }),
    maybe("runtime directory", {
      is: engines.runtimeDirectory !== undefined,
      says: printable(engines.runtimeDirectory ?? "no XDG_RUNTIME_DIR"),
    }),
    maybe("terminal", {
      is: node.terminalInjection === false,
      says: `the kernel ${node.terminalInjection === false ? "forbids" : "allows"} typing into it (TIOCSTI)`,
    }),
  ];
}

function cacheFindings({ cache, parts }: DoctorReport): readonly Finding[] {
  const { standing, disk, problem, hasLinks, hasAttributes } = cache;
  const where = printable(cache.directory);
  const states = {
    missing: `${where}, would be made`,
    own: where,
    foreign: `${where}, shared by another user: to be read only`,
    untrusted: where,
  };
  const directory: Finding = problem
    ? { mark: "no", what: "cache", says: problem.message, remedy: problem.hint }
    : fact("cache", states[standing]);
  if (!disk) return [directory];
  const at = disk.mountPoint === undefined ? "" : ` on ${printable(disk.mountPoint)}`;
  const inodes = disk.freeInodes === undefined ? "" : ` and ${disk.freeInodes} inodes`;
  const tried = [
    ["hard links", hasLinks, "files of images that share layers are copied"],
    ["attributes", hasAttributes, "extended attributes are on record only"],
  ] as const;
  return [
    directory,
    fact(
      "cache's disk",
      `${printable(disk.type)}${at}, ${formatSize(disk.freeBytes)}${inodes} free`,
    ),
    ...tried.flatMap(([what, has, without]) => {
      if (has === undefined || (what === "attributes" && !parts["fs-xattr"])) return [];
      return [maybe(what, { is: has, says: has ? "kept by the disk" : without })];
    }),
  ];
}

function partFindings({ parts }: DoctorReport): readonly Finding[] {
  return [
    maybe("fs-xattr", {
      is: parts["fs-xattr"],
      says: parts["fs-xattr"] ? "there" : "not there: extended attributes are on record only",
    }),
    maybe("crypto-async", {
      is: parts["@ronomon/crypto-async"],
      says: parts["@ronomon/crypto-async"] ? "there" : "not there: node:crypto does its work",
    }),
    maybe("zstd", {
      is: parts.zstd,
      says: parts.zstd ? "built into Node" : "in JavaScript, slower; Node 22.15 and newer have it",
    }),
  ];
}

function runtimeFindings(runtime: RuntimeExamination): readonly Finding[] {
  const { name, program, version, isolates, purposes } = runtime;
  if (!isolates) return [{ mark: "--", what: name, says: "always works, and isolates nothing" }];
  const what = version === undefined ? name : `${name} ${version}`;
  const able = purposes.filter(({ works }) => works).map(({ purpose }) => purpose);
  const works: readonly Finding[] = able.length > 0 ? [fact(what, able.join(", "))] : [];
  const troubles = new Map<string, { readonly names: string[]; readonly remedy: string }>();
  for (const each of purposes) {
    if (each.works) continue;
    const known = troubles.get(each.reason);
    if (known) known.names.push(each.purpose);
    else troubles.set(each.reason, { names: [each.purpose], remedy: each.remedy });
  }
  const mark = program === undefined ? "--" : "no";
  return [
    ...works,
    ...[...troubles].map(([reason, { names, remedy }]): Finding => {
      const scope = names.length === purposes.length ? "" : `${names.join(", ")}: `;
      return { mark, what, says: `${scope}${reason}`, remedy };
    }),
  ];
}

function verdict(report: DoctorReport): Finding {
  const runtime = usableRuntime(report)?.name;
  if (report.cache.problem) {
    return { mark: "no", what: "in all", says: "images can't be staged with this cache" };
  }
  return runtime === undefined
    ? { mark: "no", what: "in all", says: "images can be staged, but no runtime works" }
    : fact("in all", `images can be staged, and run with ${runtime}`);
}
