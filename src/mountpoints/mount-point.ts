/** What a sandbox mounts something on. */
export type MountKind = "dir" | "file";

/** A place that is to be mounted on. */
export interface MountRequest {
  /** Absolute path as the sandbox will see it. */
  readonly target: string;
  /** `any`: what is there already, a directory where there is nothing. */
  readonly kind: MountKind | "any";
}

/** A place in a rootfs that can be mounted on. */
export interface MountPoint {
  /** The path that was asked for. */
  readonly target: string;
  /** The same place with all links resolved inside the rootfs: what a runtime has to be given. */
  readonly path: string;
  readonly kind: MountKind;
  /** Whether it was made; otherwise the image has it. */
  readonly created: boolean;
}
