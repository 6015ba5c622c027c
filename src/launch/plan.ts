import { StageError } from "../errors.js";
import { isWithin } from "../host/is-within.js";
import type { MountPoint } from "../mountpoints/mount-point.js";
import type { Bind } from "./bind.js";
import { environmentOf } from "./environment.js";
import { type BindMount, freshMounts, type Mount, parentsFirst } from "./mount.js";
import { protectedMounts } from "./protect.js";

/** How a sandbox is started, whatever the runtime: plain data. */
export interface LaunchPlan {
  /** Directory that becomes the root. */
  readonly rootfs: string;
  /** Digest of the image's config, by which engines with a store of their own know it; null if unknown. */
  readonly imageId: string | null;
  /** Directory with what Apptainer needs to know of the image; null if there is none. */
  readonly singularity: string | null;
  /** `ro`; or `rw`, where what is written is kept apart from the rootfs and gone at the end. */
  readonly root: "ro" | "rw";
  /** In the order in which they are mounted. */
  readonly mounts: readonly Mount[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly argv: readonly [string, ...string[]];
  /** Who the command is inside; null for who starts it. */
  readonly user: SandboxUser | null;
  readonly network: Network;
  /** Null for the host's. */
  readonly hostname: string | null;
  /** Capabilities that the command is not to have, `CAP_NET_RAW` for instance, or `ALL`. */
  readonly droppedCapabilities: readonly string[];
  /** What gives access to GPUs, for runtimes that have no way of their own; null without. */
  readonly gpu: GpuAccess | null;
  /** What name resolution needs with the host's network, for runtimes that do not see to it. */
  readonly nameService: readonly BindMount[];
  /** Whether the command gets the caller's terminal, with job control. */
  readonly terminal: boolean;
  /** File of the host from which an engine with a store of its own can get the image. Default: none. */
  readonly imageFile?: string | undefined;
  /** Default: nothing. */
  readonly asked?: AskedByName | undefined;
}

/** What was asked for by name, where the rest of a plan can't tell that from a default. */
export interface AskedByName {
  readonly tmpfs: readonly string[];
  readonly network: boolean;
  readonly workingDir: boolean;
  /** The variable. */
  readonly path: boolean;
}

export type Network = "none" | "host";

export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
}

/** GPUs of the host, and the parts of its driver that programs in the sandbox load. */
export interface GpuAccess {
  readonly vendor: "nvidia";
  /** Device nodes, libraries and files. */
  readonly mounts: readonly BindMount[];
  /** Directories of the sandbox to put before LD_LIBRARY_PATH. */
  readonly libraryPath: readonly string[];
  /** Directories of the sandbox to put after PATH. */
  readonly programPath: readonly string[];
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
  readonly imageId?: string | undefined;
  readonly singularity?: string | null | undefined;
  readonly config: LaunchConfig;
  readonly mountPoints: readonly MountPoint[];
}

export interface LaunchOptions {
  /** What to run; default: the image's Entrypoint and Cmd. */
  readonly command?: readonly string[] | undefined;
  readonly binds?: readonly Bind[] | undefined;
  /** Directories of the sandbox that are fresh and empty, in memory. */
  readonly tmpfs?: readonly string[] | undefined;
  /** Mounted read-write; its target is `$out`, and where the command starts. */
  readonly output?: Pick<Bind, "source" | "target"> | undefined;
  /** Added to the image's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default: the output's target, else the image's WorkingDir, else `/`. */
  readonly workingDir?: string | undefined;
  /** Whether the host's `/nix/store` is mounted, read-only. Default: false. */
  readonly nixStore?: boolean | undefined;
  /** Default: who starts it. */
  readonly user?: SandboxUser | undefined;
  /** Default: `none`. */
  readonly network?: Network | undefined;
  /** Default: the host's. */
  readonly hostname?: string | undefined;
  readonly dropCapabilities?: readonly string[] | undefined;
  /** Whether the root can be written to; what is written is gone at the end. Default: false. */
  readonly writable?: boolean | undefined;
  readonly gpu?: GpuAccess | undefined;
  readonly nameService?: readonly BindMount[] | undefined;
  readonly terminal?: boolean | undefined;
  /** File of the host from which an engine with a store of its own can get the image. Default: none. */
  readonly imageFile?: string | undefined;
  /**
   * Directories of the host that nothing may be written to, whatever is bound: the cache. Default:
   * none.
   */
  readonly protect?: readonly string[] | undefined;
  /** By which links are followed to find what is protected. Default: paths are taken as they are. */
  readonly realPath?: ((path: string) => string) | undefined;
}

/**
 * Plans a sandbox: a read-only root; /proc, /dev, /tmp and /run fresh; no network; the image's
 * environment and what is added to it. Pure.
 * @throws StageError USAGE when there is nothing to run, or a bind would make a protected directory
 * writable
 */
export function planLaunch(staged: StagedRootfs, options: LaunchOptions = {}): LaunchPlan {
  const { rootfs, config } = staged;
  const { output } = options;
  const mounts = mountsOf(staged, options);
  return {
    rootfs,
    imageId: staged.imageId ?? null,
    singularity: staged.singularity ?? null,
    root: options.writable ? "rw" : "ro",
    mounts,
    env: environmentOf(config, output ? { out: output.target, ...options.env } : options.env),
    workingDir: options.workingDir ?? output?.target ?? config.workingDir ?? "/",
    argv: argvOf(config, options.command),
    user: options.user ?? null,
    network: options.network ?? "none",
    hostname: options.hostname ?? null,
    droppedCapabilities: options.dropCapabilities ?? [],
    gpu: options.gpu ? gpuOf(staged, options.gpu) : null,
    nameService: nameServiceOf(staged, { wanted: options.nameService ?? [], mounts }),
    terminal: options.terminal ?? false,
    imageFile: options.imageFile,
    asked: askedBy(options),
  };
}

function askedBy({ tmpfs, network, workingDir, output, env }: LaunchOptions): AskedByName {
  return {
    tmpfs: tmpfs ?? [],
    network: network !== undefined,
    workingDir: workingDir !== undefined || output !== undefined,
    path: env !== undefined && Object.hasOwn(env, "PATH"),
  };
}

const nixStore = "/nix/store";

function mountsOf({ mountPoints }: StagedRootfs, options: LaunchOptions): readonly Mount[] {
  const resolve = resolver(mountPoints);
  const store: readonly BindMount[] = options.nixStore
    ? [{ type: "bind", source: nixStore, target: resolve(nixStore), access: "ro" }]
    : [];
  const tmpfs = (options.tmpfs ?? []).map(
    (target): Mount => ({ type: "tmpfs", target: resolve(target) }),
  );
  const { output, binds = [], protect: directories = [], realPath } = options;
  const wanted: readonly Bind[] = output ? [...binds, { ...output, access: "rw" }] : binds;
  const bound = wanted.map(
    (bind): BindMount => ({ type: "bind", ...bind, target: resolve(bind.target) }),
  );
  const ours = parentsFirst([...tmpfs, ...bound]);
  return [
    ...freshMounts(resolve),
    ...store,
    ...ours,
    ...protectedMounts(bound, { directories, realPath }),
  ];
}

function gpuOf({ mountPoints }: StagedRootfs, gpu: GpuAccess): GpuAccess {
  const resolve = resolver(mountPoints);
  return { ...gpu, mounts: gpu.mounts.map((m) => ({ ...m, target: resolve(m.target) })) };
}

/** Without what is mounted by name, as it is or with the directory that it is in. */
function nameServiceOf(
  { mountPoints }: StagedRootfs,
  { wanted, mounts }: { wanted: readonly BindMount[]; mounts: readonly Mount[] },
): readonly BindMount[] {
  const resolve = resolver(mountPoints);
  const binds = mounts.filter(({ type }) => type === "bind");
  return wanted
    .map((mount) => ({ ...mount, target: resolve(mount.target) }))
    .filter(({ target }) => !binds.some((bind) => isWithin(target, bind.target)));
}

/**
 * Where a target leads, or the nearest directory above it that was prepared; the rest stays as it is
 * and is left to the runtime.
 */
function resolver(points: readonly MountPoint[]): (target: string) => string {
  const paths = new Map(points.map(({ target, path }) => [target, path]));
  return (target) => {
    for (let end = target.length; end > 0; end = target.lastIndexOf("/", end - 1)) {
      const path = paths.get(target.slice(0, end));
      if (path !== undefined) return path + target.slice(end);
    }
    return target;
  };
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
