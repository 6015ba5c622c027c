import { shellQuoted } from "../host/shell-quoted.js";
import type { RuntimeConfig } from "../oci/config.js";

/** One of the files that Apptainer looks for below `/.singularity.d` in a container. */
export interface SingularityFile {
  /** Relative to that directory. */
  readonly path: string;
  readonly content: string;
}

/** Directories that have to be there although nothing is in them: `--nv` mounts on this one. */
export const emptySingularityDirectories: readonly string[] = ["libs"];

/**
 * What Apptainer needs to know of an image to `run` it, to give a `shell` in it and to start an
 * `instance` of it: scripts, all executable, that hold its environment, its Entrypoint and its Cmd.
 * `exec` does without them. Where the command starts is for the caller to say, with `--pwd`. Pure.
 */
export function singularityFiles(
  config: Pick<RuntimeConfig, "env" | "entrypoint" | "cmd">,
): readonly SingularityFile[] {
  return [
    ...Object.entries(actions).map(([name, lines]) => {
      return { path: `actions/${name}`, content: script([...environment, ...lines]) };
    }),
    { path: "env/10-image.sh", content: script(config.env.flatMap(exportLine)) },
    // What the caller has set is set when this one has been read, by its name.
    { path: "env/99-base.sh", content: script([]) },
    { path: "runscript", content: script(runLines(config)) },
    // An instance stays until it is stopped, whatever this does.
    { path: "startscript", content: script([]) },
  ];
}

/** Apptainer runs its own in their place, but only where there are these. */
const actions = {
  exec: ['exec "$@"'],
  run: ['exec /.singularity.d/runscript "$@"'],
  shell: ['exec /bin/sh "$@"'],
  start: ['exec /.singularity.d/startscript "$@"'],
} as const;

const environment: readonly string[] = ['for file in /.singularity.d/env/*.sh; do . "$file"; done'];

function script(lines: readonly string[]): string {
  return ["#!/bin/sh", ...lines, ""].join("\n");
}

/** What no shell can set: names that are none to it, and its own. */
function exportLine(assignment: string): readonly string[] {
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(assignment) ?? [];
  if (name === undefined || value === undefined || shellsOwn.has(name)) return [];
  return [`export ${name}=${shellQuoted(value)}`];
}

const shellsOwn: ReadonlySet<string> = new Set(["HOME", "UID", "EUID", "GID"]);

/** As an engine would: what is given takes the place of Cmd, and Entrypoint comes first. */
function runLines({ entrypoint, cmd }: Pick<RuntimeConfig, "entrypoint" | "cmd">) {
  const words = (list: readonly string[] | null) => (list ?? []).map(shellQuoted);
  const [first, others] = [words(entrypoint), words(cmd)];
  const fallback =
    others.length > 0
      ? [`[ "$#" -gt 0 ] || set -- ${others.join(" ")}`]
      : first.length === 0
        ? ['[ "$#" -gt 0 ] || { echo "The image does not say what to run." >&2; exit 127; }']
        : [];
  return [...fallback, ["exec", ...first, '"$@"'].join(" ")];
}
