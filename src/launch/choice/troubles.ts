import { stripVTControlCharacters } from "node:util";
import { printable } from "../../host/byte-string.js";
import type { EngineFacts } from "../../host/engine-facts.js";
import type { SandboxLimits } from "../../host/sandbox-limits.js";
import type { RuntimeName } from "../runtime.js";
import { namespaceTrouble } from "./namespace-trouble.js";
import type { ProbeEnd } from "./run-probe.js";
import type { Trouble } from "./runtime-answer.js";

/** What is known of a runtime and its node beside how it ended. */
export interface Circumstances {
  readonly name: RuntimeName;
  readonly program: string;
  readonly limits: SandboxLimits;
  readonly engines: EngineFacts;
}

/** What a program says when it fails, and what that means. */
interface Symptom {
  /** All runtimes, unless said. */
  readonly of?: readonly RuntimeName[];
  readonly says: RegExp;
  readonly means: (match: RegExpExecArray, circumstances: Circumstances) => Trouble | undefined;
}

/** The first that fits counts, so the special ones come before the general ones. */
const symptoms: readonly Symptom[] = [
  {
    of: ["bwrap"],
    says: /Unknown option (--[\w-]+)/,
    means: ([, option = ""]) => {
      const needed = option.includes("overlay") ? "0.11" : "0.4";
      return {
        reason: `is too old: it does not know ${option}`,
        remedy: `install bubblewrap ${needed} or newer`,
      };
    },
  },
  {
    of: ["bwrap"],
    says: /(?:in setuid mode|old file caps config)/,
    means: () => ({
      reason: "is setuid, and does not allow this then",
      remedy: "where user namespaces are allowed, take the bit away: chmod u-s on bwrap",
    }),
  },
  {
    says: /(?:nesting depth|namespaces exceeded|user namespaces? (?:are|is) not enabled|(?:namespace|clone|unshare): No space left)/i,
    means: (_, { limits, program }) => namespaceTrouble({ limits, program, isLimit: true }),
  },
  {
    says: /(?:No permissions to create (?:a )?new namespace|does not support user namespaces|cannot clone: |create user namespace)/i,
    means: (_, { limits, program }) => namespaceTrouble({ limits, program, isLimit: false }),
  },
  {
    of: ["bwrap"],
    // What AppArmor lets through is a namespace in which nothing is allowed.
    says: /(setting up uid map: Permission denied|loopback: Failed RTM_NEWADDR: Operation not permitted|Failed to make \/ slave: Permission denied)/,
    means: (_, { limits, program }) =>
      limits.appArmorRestricts ? namespaceTrouble({ limits, program, isLimit: false }) : undefined,
  },
  {
    of: ["bwrap"],
    says: /setting up [ug]id map: /,
    means: () => ({
      reason: "may not map user IDs in a namespace: root has no capabilities here",
      remedy: "start it as an ordinary user, or with the capabilities SETUID and SETGID",
    }),
  },
  {
    says: /(?:Can't mount proc on|mount `?proc`? to [`'"]?\/?proc|mounting proc).*Operation not permitted/,
    means: () => ({
      reason: "can't mount /proc: the container around it hides parts of its own",
      remedy:
        "start the container with --security-opt systempaths=unconfined (podman: unmask=ALL), or start it outside",
    }),
  },
  {
    says: /overlay.*(?:Operation not permitted|Invalid argument|No such device|not supported|Permission denied)/i,
    of: ["bwrap", "apptainer"],
    means: () => ({
      reason: "can't mount an overlay: the kernel does not let ordinary users, or not on this disk",
      remedy: "leave out --writable and give it --tmpfs or --output; Linux 5.11 and newer can",
    }),
  },
  {
    of: ["podman"],
    says: /cgroups in hybrid mode not supported/,
    means: () => ({
      reason:
        "can't use the cgroups of this node: versions 1 and 2 are mixed, and crun refuses that",
      remedy:
        "have the node booted with systemd.unified_cgroup_hierarchy=1, or try --uid-0, for which runc will do",
    }),
  },
  {
    of: ["podman"],
    says: /XDG_RUNTIME_DIR/,
    means: () => ({
      reason: "can't use XDG_RUNTIME_DIR: it is no directory of yours on this node",
      remedy: "unset XDG_RUNTIME_DIR, or set it to a private directory on local disk",
    }),
  },
  {
    of: ["podman"],
    says: /(?:user's homedir|HOME not defined|cannot resolve \S+?: lstat|(?:mkdir|stat|open) (?!\/(?:proc|sys|dev)\b)\S+?: permission denied)/,
    means: () => ({
      reason: "has no home to keep its files in: HOME is not set, or is no directory of yours",
      remedy: "set HOME to a directory of yours on local disk",
    }),
  },
  {
    of: ["podman"],
    says: /no user mapping found/,
    means: () => ({
      reason: "can't map your user with runc",
      remedy: "install crun, or use --uid-0",
    }),
  },
  {
    of: ["podman"],
    says: /container-init binary not found/,
    means: () => ({ reason: "finds no catatonit, its first process", remedy: "install catatonit" }),
  },
  {
    of: ["podman"],
    says: /(?:\bnfs\b|network file ?system|overlay is not supported over)/i,
    means: () => ({
      reason: "can't keep its files on a network file system",
      remedy: "set graphroot in ~/.config/containers/storage.conf to a local disk",
    }),
  },
  {
    of: ["podman"],
    says: /setrlimit `?(RLIMIT_\w+)/,
    means: ([, limit = ""]) => ({
      reason: `may not raise ${limit}, which it does by itself`,
      remedy: 'set default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"] in containers.conf',
    }),
  },
  {
    of: ["podman"],
    says: /(?:OCI runtime .*(?:not found|no such file)|no valid executable found for OCI runtime)/i,
    means: () => ({
      reason: "finds no OCI runtime",
      remedy: "install crun or runc",
    }),
  },
  {
    of: ["podman"],
    says: /(?:no sub[ug]id ranges found|insufficient [UG]IDs or [UG]IDs|not enough (?:un)?used ?[UG]IDs|new[ug]idmap.*(?:not found|not allowed|not permitted))/i,
    means: (_, { engines }) => ({
      reason:
        engines.subordinateUids > 0 && engines.subordinateGids > 0
          ? "can't use the subordinate IDs of /etc/subuid and /etc/subgid"
          : "has no subordinate IDs: /etc/subuid or /etc/subgid does not name you",
      remedy: "ask an administrator for usermod --add-subuids and --add-subgids, and for uidmap",
    }),
  },
  {
    of: ["apptainer"],
    says: /(?:unknown userid|determine user account information)/,
    means: () => ({
      reason: "needs an account: the user has no line in passwd on this node",
      remedy: "ask an administrator to have the node know your user",
    }),
  },
  {
    of: ["apptainer"],
    says: /(?:could not use |--)fakeroot/,
    means: (_, { limits, program }) =>
      limits.maxUserNamespaces === 0
        ? namespaceTrouble({ limits, program, isLimit: true })
        : {
            reason:
              "can't make you root: it takes subordinate IDs, and /etc/subuid has none for you",
            remedy:
              "leave out --uid-0, use bwrap, or ask an administrator for usermod --add-subuids",
          },
  },
  {
    of: ["apptainer"],
    says: /starter-suid/,
    means: () => ({
      reason: "is half installed: its setuid starter has no setuid bit",
      remedy: "ask an administrator to install it as root, or to allow user namespaces",
    }),
  },
  {
    of: ["docker"],
    says: /permission denied while trying to connect/i,
    means: () => ({
      reason: "may not talk to its engine: you have no permission on the socket",
      remedy: "ask an administrator to put you into the group docker, which is as good as root",
    }),
  },
  {
    of: ["docker"],
    says: /(?:Cannot connect to the Docker daemon|error during connect|failed to connect to the docker API)/i,
    means: () => ({
      reason: "reaches no engine: none is running, or DOCKER_HOST names another",
      remedy: "start dockerd, or set DOCKER_HOST",
    }),
  },
];

/** Why a program failed, and what to do about it, by what it said and what is known. Pure. */
export function troubleIn(end: ProbeEnd, circumstances: Circumstances): Trouble {
  if (end.isLate) {
    return {
      reason: "did not answer in time, and was killed",
      remedy: "look whether the node, or a disk that the runtime uses, hangs",
    };
  }
  if (end.error) {
    return {
      reason: `can't be started: ${printable(end.error.message)}`,
      remedy: `look at ${circumstances.program}`,
    };
  }
  const stderr = stripVTControlCharacters(end.stderr);
  for (const { of, says, means } of symptoms) {
    const match = of && !of.includes(circumstances.name) ? null : says.exec(stderr);
    const trouble = match && means(match, circumstances);
    if (trouble) return trouble;
  }
  return {
    reason: `failed with ${endText(end)}${saidLast(stderr)}`,
    remedy: `look at the message of ${circumstances.program}`,
  };
}

function endText({ status, signal }: ProbeEnd): string {
  return status === null ? `signal ${signal}` : `status ${status}`;
}

/** What is shown of a message at the most, in characters. */
const longestMessage = 200;

/** What the last line says. */
function saidLast(stderr: string): string {
  const last = stderr.trim().split("\n").at(-1)?.trim() ?? "";
  // As podman's log has it: time="..." level=error msg="..."
  const line =
    /\bmsg="(.*)"$/.exec(last)?.[1]?.replaceAll('\\"', '"') ?? last.replace(/^FATAL:\s+/, "");
  return line === "" ? "" : `: ${printable(line.slice(0, longestMessage))}`;
}
