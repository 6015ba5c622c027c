import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fromSystemError, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Bind, parseBind, parseSamePlace } from "../launch/bind.js";
import { parseAssignment } from "../launch/environment.js";
import type { LaunchOptions, SandboxUser } from "../launch/plan.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import { checkMountTarget } from "../mountpoints/requests.js";
import { choiceOption, type OptionValues } from "./options.js";

/** What a command line says about a sandbox, and what the rootfs needs for it. */
export interface LaunchWish {
  readonly options: LaunchOptions;
  readonly mounts: readonly MountRequest[];
}

/**
 * Reads the options of a launch; what is to be mounted has to be there.
 * @throws StageError USAGE, NOT_FOUND, PERMISSION
 */
export function launchWish(values: OptionValues): LaunchWish {
  const binds = bindsOf(values);
  const tmpfs = (values.tmpfs ?? []).map(checkMountTarget);
  const output = values.output === undefined ? undefined : outputOf(values.output);
  if (values["nix-store"]) kindOf("/nix/store");
  const options = {
    binds,
    tmpfs,
    output,
    env: Object.fromEntries((values.env ?? []).map(parseAssignment)),
    workingDir: values.chdir === undefined ? undefined : checkWorkingDir(values.chdir),
    nixStore: values["nix-store"],
    user: userOf(values),
    network: choiceOption(values, { name: "network", words: ["none", "host"] }),
    hostname: values.hostname === undefined ? undefined : checkHostname(values.hostname),
    dropCapabilities: (values["cap-drop"] ?? []).map(capability),
    writable: values.writable,
    terminal: values.tty,
  };
  return {
    options,
    mounts: [
      ...[...binds, ...(output ? [output] : [])].map(mountRequestOf),
      ...tmpfs.map((target) => ({ target, kind: "dir" }) as const),
    ],
  };
}

function bindsOf(values: OptionValues): readonly Bind[] {
  const readOnly = (bind: Bind): Bind => ({ ...bind, access: "ro" });
  const binds = [
    ...(values.bind ?? []).map(parseBind),
    ...(values["ro-bind"] ?? []).map(parseBind).map(readOnly),
    ...(values.input ?? []).map(parseSamePlace).map(readOnly),
  ];
  return binds.map((bind) => ({ ...bind, source: resolve(bind.source) }));
}

function outputOf(text: string): Bind {
  const { source, target } = parseSamePlace(text);
  const output: Bind = { source: resolve(source), target, access: "rw" };
  if (kindOf(output.source) === "dir") return output;
  throw new StageError("USAGE", `--output ${printable(text)} is not a directory`);
}

function userOf(values: OptionValues): SandboxUser | undefined {
  const { user } = values;
  if (values["uid-0"]) {
    if (user === undefined) return { uid: 0, gid: 0 };
    throw new StageError("USAGE", "--uid-0 and --user exclude each other");
  }
  if (user === undefined) return undefined;
  const [, uid = "", gid = uid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user) ?? [];
  if (uid !== "") return { uid: Number(uid), gid: Number(gid) };
  throw new StageError("USAGE", `--user takes UID[:GID] in numbers, not "${printable(user)}"`);
}

function capability(text: string): string {
  const name = text.toUpperCase();
  if (/^(?:CAP_)?[A-Z_]{3,40}$/.test(name)) {
    return name === "ALL" || name.startsWith("CAP_") ? name : `CAP_${name}`;
  }
  throw new StageError("USAGE", `"${printable(text)}" is no capability`, {
    hint: "write for instance --cap-drop NET_RAW, or ALL",
  });
}

function checkHostname(text: string): string {
  if (/^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(text)) return text;
  throw new StageError("USAGE", `"${printable(text)}" is no name for a host`, {
    hint: "letters, digits, dots and hyphens, 64 at the most",
  });
}

function checkWorkingDir(path: string): string {
  return path === "/" ? path : checkMountTarget(path);
}

/** A bind's target has to be of its source's kind. */
function mountRequestOf({ source, target }: Pick<Bind, "source" | "target">): MountRequest {
  return { target, kind: kindOf(source) };
}

function kindOf(source: string): "dir" | "file" {
  try {
    return statSync(source).isDirectory() ? "dir" : "file";
  } catch (error) {
    throw fromSystemError(error, `bind ${printable(source)}`);
  }
}
