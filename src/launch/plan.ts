import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { MountPoint } from "../mountpoints/mount-point.js";
import type { Bind } from "./bind.js";

/** Something mounted in the sandbox; targets have all links resolved. */
export type Mount =
  | { readonly type: "proc" | "dev" | "tmpfs"; readonly target: string }
  | {
      readonly type: "bind";
      readonly source: string;
      readonly target: string;
      readonly access: "ro" | "rw";
    };

/** How a sandbox is started, whatever the runtime: plain data. */
export interface LaunchPlan {
  /** Read-only root. */
  readonly rootfs: string;
  /** In the order in which they are mounted. */
  readonly mounts: readonly Mount[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly argv: readonly [string, ...string[]];
}

/** How the image wants to be run. */
export interface LaunchConfig {
  /** `NAME=VALUE`. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  readonly workingDir: string | null;
}

/** What a plan needs of a staged image. */
export interface StagedRootfs {
  readonly rootfs: string;
  readonly config: LaunchConfig;
  readonly mountPoints: readonly MountPoint[];
}

export interface LaunchOptions {
  /** What to run; default: the image's Entrypoint and Cmd. */
  readonly command?: readonly string[] | undefined;
  readonly binds?: readonly Bind[] | undefined;
  /** Added to the image's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: the image's WorkingDir, else `/`. */
  readonly workingDir?: string | undefined;
  /** Whether the host's `/nix/store` is mounted, read-only. */
  readonly nixStore?: boolean | undefined;
}

const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Plans a sandbox: a read-only root; /proc, /dev, /tmp and /run fresh; no network; the image's
 * environment and what is added to it.
 * @throws StageError USAGE when there is nothing to run
 */
export function planLaunch(staged: StagedRootfs, options: LaunchOptions = {}): LaunchPlan {
  const { rootfs, config } = staged;
  const resolve = resolver(staged.mountPoints);
  const fresh: readonly Mount[] = [
    { type: "proc", target: resolve("/proc") },
    { type: "dev", target: resolve("/dev") },
    { type: "tmpfs", target: resolve("/tmp") },
    { type: "tmpfs", target: resolve("/run") },
  ];
  const store: readonly Mount[] = options.nixStore
    ? [{ type: "bind", source: nixStore, target: resolve(nixStore), access: "ro" }]
    : [];
  const binds = (options.binds ?? []).map(
    (bind): Mount => ({ type: "bind", ...bind, target: resolve(bind.target) }),
  );
  return {
    rootfs,
    mounts: [...fresh, ...store, ...parentsFirst(binds)],
    env: environmentOf(config, options.env ?? {}),
    workingDir: options.workingDir ?? config.workingDir ?? "/",
    argv: argvOf(config, options.command),
  };
}

const nixStore = "/nix/store";

/** Where a target leads; what was not prepared stays as it is and is left to the runtime. */
function resolver(points: readonly MountPoint[]): (target: string) => string {
  const paths = new Map(points.map(({ target, path }) => [target, path]));
  return (target) => paths.get(target) ?? target;
}

/** A mount hides what was mounted below it before. */
function parentsFirst(mounts: readonly Mount[]): readonly Mount[] {
  const depth = ({ target }: Mount) => target.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}

function environmentOf(
  config: LaunchConfig,
  added: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = { PATH: usualPath, HOME: "/" };
  for (const assignment of config.env) {
    const equals = assignment.indexOf("=");
    if (equals > 0) env[assignment.slice(0, equals)] = assignment.slice(equals + 1);
  }
  return { ...env, ...added };
}

function argvOf(
  config: LaunchConfig,
  command: readonly string[] | undefined,
): readonly [string, ...string[]] {
  const argv = command?.length ? command : [...(config.entrypoint ?? []), ...(config.cmd ?? [])];
  const [first, ...others] = argv;
  if (first !== undefined) return [first, ...others];
  throw new StageError("USAGE", "the image says nothing about what to run", {
    hint: "give a command after --, for instance: -- /bin/sh",
  });
}

/**
 * Parses `NAME=VALUE`, the argument of `--env`, at the first `=`.
 * @throws StageError USAGE
 */
export function parseAssignment(text: string): readonly [string, string] {
  const equals = text.indexOf("=");
  if (equals > 0 && !text.includes("\0")) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new StageError("USAGE", `"${printable(text)}" is no NAME=VALUE`, {
    hint: "write for instance --env LANG=C.UTF-8",
  });
}
