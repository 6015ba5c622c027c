import type { SandboxUser } from "./plan.js";

/** What can start a sandbox, in the order in which they are tried where nobody chose. */
export const runtimeNames = ["bwrap", "apptainer", "podman", "docker", "native"] as const;

export type RuntimeName = (typeof runtimeNames)[number];

/** A runtime of this node, as far as command lines depend on it. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Path of its program; of `native`, which has none, empty. */
  readonly program: string;
  /** As the program states it, `0.8.0`; undefined where unknown: then nothing newer than the oldest supported version is used. */
  readonly version?: string | undefined;
  /** Whether it was seen to mount an overlay over a rootfs on this node. Default: false. */
  readonly canOverlay?: boolean | undefined;
  /** Who starts it. Default: root. */
  readonly caller?: SandboxUser | undefined;
  /** What below /proc root's commands may not write to, see `kernelMounts`. Default: `sys`. */
  readonly kernelFiles?: readonly string[] | undefined;
  /**
   * Variables of the caller's that the program itself goes by, see `callerVariables`; of `native`,
   * the PATH. They do not reach the sandbox. Default: none.
   */
  readonly callerEnv?: Readonly<Record<string, string>> | undefined;
  /** What podman has start its containers. Default: `crun`. */
  readonly ociRuntime?: OciRuntime | undefined;
  /** Where `native` finds programs: as the caller does, or in the rootfs. Default: `host`. */
  readonly nativePath?: "host" | "rootfs" | undefined;
}

/** Programs below podman; runc can do less. */
export type OciRuntime = "crun" | "runc";
