/** Something mounted in the sandbox; targets have all links resolved. */
export type Mount =
  | { readonly type: "proc" | "dev" | "tmpfs"; readonly target: string }
  | BindMount;

/** A file or directory of the host, at a place of the sandbox. */
export interface BindMount {
  readonly type: "bind";
  readonly source: string;
  readonly target: string;
  /** `dev` for device nodes, which other binds do not let a program open. */
  readonly access: "ro" | "rw" | "dev";
}

/**
 * What every sandbox has of its own.
 * @param resolve where a path leads in its rootfs; default: to itself
 */
export function freshMounts(resolve: (path: string) => string = (path) => path): readonly Mount[] {
  return [
    { type: "proc", target: resolve("/proc") },
    { type: "dev", target: resolve("/dev") },
    { type: "tmpfs", target: resolve("/tmp") },
    { type: "tmpfs", target: resolve("/run") },
  ];
}

/** A mount hides what was mounted below it before; among equals the order is kept. */
export function parentsFirst<Each extends Mount>(mounts: readonly Each[]): readonly Each[] {
  const depth = ({ target }: Mount) => target.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}
