import { printable } from "../../host/byte-string.js";
import type { BindMount, Mount } from "../mount.js";
import type { LaunchPlan } from "../plan.js";
import { visibleMounts } from "../visible-mounts.js";
import { cannot } from "./cannot.js";
import { csvField } from "./csv-field.js";

/** The two that take `docker run`'s options. */
export type Engine = "podman" | "docker";

/** A mount that an engine has to be told about. */
export type EngineMount = BindMount | { readonly type: "tmpfs"; readonly target: string };

/**
 * What is to be mounted beside `/proc` and `/dev`, which engines mount themselves.
 * @throws StageError SANDBOX where they would be somewhere else
 */
export function engineMounts(
  plan: Pick<LaunchPlan, "mounts">,
  engine: Engine,
): readonly EngineMount[] {
  return visibleMounts(plan.mounts).filter((mount): mount is EngineMount => {
    if (mount.type !== "proc" && mount.type !== "dev") return true;
    checkPlace(mount, engine);
    return false;
  });
}

function checkPlace({ type, target }: Mount, engine: Engine): void {
  if (target === `/${type}`) return;
  throw cannot(engine, `mounts /${type} itself, and this image has it at ${printable(target)}`, {
    hint: "use bwrap",
  });
}

/**
 * The value of `--mount`: one line of CSV (RFC 4180).
 * @throws StageError SANDBOX for a path with a carriage return, which is not read back
 */
export function mountValue(fields: readonly string[], engine: Engine): string {
  return fields
    .map((field) => readable(field, engine))
    .map(csvField)
    .join(",");
}

function readable(field: string, engine: Engine): string {
  if (field.includes("\r")) {
    throw cannot(engine, `can't mount a path with a carriage return: ${printable(field)}`, {
      hint: "rename it, or use bwrap",
    });
  }
  return field;
}

/**
 * The value of `--device`, for device nodes.
 * @throws StageError SANDBOX for a path with a colon
 */
export function deviceValue({ source, target }: BindMount, engine: Engine): string {
  for (const path of [source, target]) refuseColon(path, engine);
  return `${source}:${target}`;
}

/** @throws StageError SANDBOX for a path with a colon, at which engines would split it */
export function refuseColon(path: string, engine: Engine): void {
  if (!path.includes(":")) return;
  throw cannot(engine, `can't take a path with a colon here: ${printable(path)}`, {
    hint: "give it a path without one, or use bwrap",
  });
}
