import { existsSync, realpathSync } from "node:fs";
import { chooseTarget } from "../config/choose-target.js";
import { errnoOf } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { mountedNames } from "../host/mounted-names.js";
import { type ChosenRuntime, chooseRuntime } from "../launch/choice/choose-runtime.js";
import { grantsOf, hostPathsFor, impurityWarnings } from "../launch/grants.js";
import type { LaunchCommand } from "../launch/launch-command.js";
import { type LaunchOptions, type LaunchPlan, planLaunch } from "../launch/plan.js";
import { preflight } from "../launch/preflight.js";
import type { StageResult } from "../stage/result.js";
import { settingsOf } from "../stage/settings.js";
import { imageFileOf } from "./image-file.js";
import { type LaunchWish, launchWish } from "./launch-options.js";
import type { LeaseHolder } from "./lease-option.js";
import { answersIn } from "./node-answers.js";
import type { CommandLine, OptionValues } from "./options.js";
import { writeMessage } from "./output.js";
import { runtimeWish } from "./runtime-option.js";
import { settingsOptions } from "./settings-options.js";
import { stageFromLine } from "./stage-from-line.js";
import { leaveDeletedDirectory, mountedPaths, pathOptions } from "./working-directory.js";

export interface Launch {
  readonly staged: StageResult;
  readonly plan: LaunchPlan;
  readonly chosen: ChosenRuntime;
  readonly command: LaunchCommand;
}

export interface LaunchContext {
  /** Whose life the image's lease goes by, where `--lease` does not say. */
  readonly holder: LeaseHolder;
  /** What runs in the sandbox; default: what follows `--`. */
  readonly command?: ((staged: StageResult) => readonly string[]) | undefined;
  /** Whether the command gets the caller's terminal; default: `--tty`. */
  readonly terminal?: boolean | undefined;
}

/**
 * Stages the image of a command line, and says how its command is started.
 * @throws StageError
 */
export async function launchFromLine(line: CommandLine, context: LaunchContext): Promise<Launch> {
  const { values, words, rest } = line;
  leaveDeletedDirectory([...words, ...pathOptions(values), ...mountedPaths(values)]);
  const wish = launchWish(values);
  const { cacheDirectory, target, file } = launchSettings(values);
  const grants = grantsOf({
    gpu: values.gpu,
    network: wish.options.network ?? "none",
    hostPaths: target?.hostPaths,
    configuration: file,
  });
  const wanted = runtimeWish(values, target);
  const { holder } = context;
  const staged = await stageFromLine(line, {
    mounts: [...wish.mounts, ...grants.mountRequests],
    holder,
  });
  const hostPaths = hostPathsFor(grants, staged).filter(({ target }) => isFree(target, wish));
  const plan = planLaunch(staged, {
    imageFile: imageFileOf(staged.reference),
    ...wish.options,
    binds: [...hostPaths, ...(wish.options.binds ?? [])],
    gpu: grants.gpu,
    nameService: grants.nameService,
    protect: mountedNames(realPath(cacheDirectory)).filter((name) => existsSync(name)),
    realPath,
    command: context.command?.(staged) ?? rest,
    ...withTerminal(context.terminal ?? values.tty ?? false, wish.options),
  });
  const chosen = await chooseRuntime({ ...wanted, plan, answers: answersIn(cacheDirectory) });
  const { command } = chosen;
  preflight(plan, { command, runtime: chosen.runtime });
  if (!values.quiet) {
    const impurity = impurityWarnings(hostPaths, file);
    const ofSandbox = [...chosen.warnings, ...(command.warnings ?? [])];
    for (const warning of [...grants.warnings, ...impurity, ...ofSandbox]) {
      writeMessage(`stage-rootfs: warning: ${printable(warning)}`);
    }
  }
  return { staged, plan, chosen, command };
}

/** What draws on a terminal has to know which kind it is. */
function withTerminal(terminal: boolean, { env }: LaunchOptions): LaunchOptions {
  const { TERM } = process.env;
  return { terminal, env: terminal && TERM ? { TERM, ...env } : env };
}

function launchSettings(values: OptionValues) {
  const { cacheDirectory, configuration } = settingsOf(settingsOptions(values));
  const { file } = configuration();
  return { cacheDirectory, target: chooseTarget(configuration(), values.target), file };
}

/** What is mounted by name goes before what the configuration mounts. */
function isFree(target: string, { options }: LaunchWish): boolean {
  const { binds = [], tmpfs = [], output } = options;
  const named = [...binds.map((bind) => bind.target), ...tmpfs, output?.target];
  return !named.includes(target);
}

/** A path that leads nowhere stays as it is: a look before the start says what is wrong with it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return path;
  }
}
