import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import type { Configuration, Target } from "./configuration.js";
import { nearest } from "./nearest.js";

/**
 * The target that is meant: the one that `--target` names, else the file's `target`, else the only
 * one there is. Undefined where there is none, or several and no choice.
 * @throws StageError CONFIG where there is none of that name
 */
export function chooseTarget(
  { targets, usualTarget, file }: Configuration,
  option: string | undefined,
): Target | undefined {
  const wanted = option || usualTarget;
  if (wanted === undefined) return targets.size === 1 ? [...targets.values()][0] : undefined;
  const target = targets.get(wanted);
  if (target) return target;
  const place = file === undefined ? "there is no configuration file" : `not in ${file}`;
  const near = nearest(wanted, [...targets.keys()]);
  throw new StageError("CONFIG", printable(`no target "${wanted}": ${place}`), {
    hint: near === undefined ? undefined : printable(`the nearest known one is "${near}"`),
  });
}

/**
 * The directory that a configuration has for what is local to the node, or else for everything:
 * `node_local_path`, then `base_path`. Undefined where it has none.
 * @throws StageError CONFIG as {@link chooseTarget}, and where several targets have one and no choice
 * was made
 */
export function localPath(
  configuration: Configuration,
  option: string | undefined,
): string | undefined {
  const target = chooseTarget(configuration, option);
  const candidates = target ? [target] : [...configuration.targets.values()];
  const path = candidates.map((each) => each.nodeLocalPath ?? each.basePath).find(Boolean);
  if (target || path === undefined) return path;
  const names = candidates.map(({ name }) => name).join(", ");
  throw new StageError("CONFIG", printable(`${configuration.file ?? ""} has several targets`), {
    hint: printable(`say which with --target, or with target = "NAME" in the file: ${names}`),
  });
}
