import { resolve } from "node:path";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { checkMountTarget } from "../mountpoints/requests.js";

/** A file or directory of the host that the sandbox is to see. */
export interface Bind {
  /** Path on the host. */
  readonly source: string;
  /** Absolute path in the sandbox. */
  readonly target: string;
  readonly access: "ro" | "rw";
}

/**
 * Parses `SRC:DST[:ro|rw]`, the argument of `--bind`; read-write without a word, as bwrap's and
 * podman's are. A source may hold colons, a target can't.
 * @throws StageError USAGE
 */
export function parseBind(text: string): Bind {
  const match = /^(.+?)(?::(ro|rw))?$/s.exec(text);
  const [, paths = "", access] = match ?? [];
  const colon = paths.lastIndexOf(":");
  const target = paths.slice(colon + 1);
  if (colon <= 0 || !target.startsWith("/")) {
    throw new StageError("USAGE", `"${printable(text)}" is no bind`, {
      hint: "write SRC:DST or SRC:DST:ro with an absolute DST, for instance /scratch:/data:ro",
    });
  }
  return {
    source: paths.slice(0, colon),
    target: checkMountTarget(target),
    access: access === "ro" ? "ro" : "rw",
  };
}

/**
 * Parses `PATH[:DST]`, the argument of `--input` and `--output`: without DST, the sandbox has it at
 * the host's path. Read-write.
 * @throws StageError USAGE
 */
export function parseSamePlace(text: string): Bind {
  const colon = text.lastIndexOf(":/");
  const [source, target] =
    colon > 0 ? [text.slice(0, colon), text.slice(colon + 1)] : [text, resolve(text)];
  return { source, target: checkMountTarget(target), access: "rw" };
}
