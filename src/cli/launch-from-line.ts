import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fromSystemError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Bind, parseBind } from "../launch/bind.js";
import { bwrapCommand, type LaunchCommand } from "../launch/bwrap.js";
import { findProgram } from "../launch/find-program.js";
import { parseAssignment, planLaunch } from "../launch/plan.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import { checkMountTarget } from "../mountpoints/requests.js";
import type { StageResult } from "../stage/result.js";
import type { LeaseHolder } from "./lease-option.js";
import type { CommandLine } from "./options.js";
import { stageFromLine } from "./stage-from-line.js";
import { warnOfUnheeded } from "./unheeded.js";

export interface Launch {
  readonly staged: StageResult;
  readonly command: LaunchCommand;
  /** Whether the runtime's program is there. */
  readonly isInstalled: boolean;
}

/**
 * Stages the image of a command line and says how its command is started.
 * @param holder whose life the image's lease goes by, where `--lease` does not say
 */
export async function launchFromLine(line: CommandLine, holder: LeaseHolder): Promise<Launch> {
  const { values, rest } = line;
  const binds = (values.bind ?? []).map(parseBind).map(absolute);
  const env = Object.fromEntries((values.env ?? []).map(parseAssignment));
  const workingDir = values.chdir === undefined ? undefined : checkWorkingDir(values.chdir);
  if (values["nix-store"]) kindOf("/nix/store");
  const staged = await stageFromLine(line, { mounts: binds.map(mountRequestOf), holder });
  warnOfUnheeded(values);
  const plan = planLaunch(staged, {
    command: rest,
    binds,
    env,
    workingDir,
    nixStore: values["nix-store"],
  });
  const bwrap = findProgram("bwrap", process.env["PATH"]);
  return {
    staged,
    command: bwrapCommand(plan, bwrap ?? "bwrap"),
    isInstalled: bwrap !== undefined,
  };
}

function absolute(bind: Bind): Bind {
  return { ...bind, source: resolve(bind.source) };
}

function checkWorkingDir(path: string): string {
  return path === "/" ? path : checkMountTarget(path);
}

/** A bind's target has to be of its source's kind. */
function mountRequestOf({ source, target }: Bind): MountRequest {
  return { target, kind: kindOf(source) };
}

function kindOf(source: string): "dir" | "file" {
  try {
    return statSync(source).isDirectory() ? "dir" : "file";
  } catch (error) {
    throw fromSystemError(error, `bind ${printable(source)}`);
  }
}
