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

/** Whether `path` is `directory` or lies below it, by their names. */
export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** A mount hides what was mounted below it before; among equals the order is kept. */
export function parentsFirst<Each extends Mount>(mounts: readonly Each[]): readonly Each[] {
  const depth = ({ target }: Mount) => target.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}
