import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fromSystemError, StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Bind, parseBind, parseSamePlace } from "../launch/bind.js";
import { capabilities } from "../launch/capabilities.js";
import { parseAssignment } from "../launch/environment.js";
import type { LaunchOptions, SandboxUser } from "../launch/plan.js";
import { checkSources } from "../launch/preflight.js";
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
 * @throws StageError USAGE, SANDBOX
 */
export function launchWish(values: OptionValues): LaunchWish {
  const binds = bindsOf(values);
  const tmpfs = (values.tmpfs ?? []).map(checkMountTarget);
  const output = values.output === undefined ? undefined : outputOf(values.output);
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
  };
  checkSources([
    ...binds,
    ...(output ? [output] : []),
    ...(values["nix-store"] ? [{ source: "/nix/store", access: "ro" } as const] : []),
  ]);
  if (output && kindOf(output.source) !== "dir") {
    throw new StageError("USAGE", `--output ${printable(output.source)} is not a directory`, {
      hint: "name a directory for what the command writes",
    });
  }
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
    ...(values["ro-bind"] ?? []).map(parseReadOnlyBind),
    ...(values.input ?? []).map(parseSamePlace).map(readOnly),
  ];
  return binds.map((bind) => ({ ...bind, source: resolve(bind.source) }));
}

function parseReadOnlyBind(text: string): Bind {
  if (!text.endsWith(":rw")) return { ...parseBind(text), access: "ro" };
  throw new StageError("USAGE", `--ro-bind ${printable(text)} is to be read-only and writable`, {
    hint: "write --bind for what may be written to",
  });
}

function outputOf(text: string): Bind {
  const { source, target } = parseSamePlace(text);
  return { source: resolve(source), target, access: "rw" };
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
  if (name === "ALL") return name;
  const full = name.startsWith("CAP_") ? name : `CAP_${name}`;
  if (capabilities.has(full)) return full;
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
  if (!path.startsWith("/")) {
    throw new StageError("USAGE", `--chdir ${printable(path)} is not absolute`, {
      hint: "give the directory's path in the sandbox, for instance --chdir /data",
    });
  }
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
