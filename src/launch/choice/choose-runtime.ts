import { errnoOf, StageError } from "../../errors.js";
import { toCommand } from "../command.js";
import { findProgram } from "../find-program.js";
import type { LaunchCommand } from "../launch-command.js";
import type { LaunchPlan } from "../plan.js";
import type { Runtime, RuntimeName } from "../runtime.js";
import { troubleOf } from "../runtimes/cannot.js";
import type { AnswerStore } from "./answer-store.js";
import { localRuntime } from "./local-runtime.js";
import { isRuntimeAnswer, type RuntimeAnswer, type Trouble } from "./runtime-answer.js";
import { needsOf, type RuntimeQuestion, runtimeQuestion } from "./runtime-question.js";

export interface RuntimeChoice {
  /** In the order in which they are tried; default: all that isolate. */
  readonly candidates: readonly RuntimeName[] | undefined;
  /** Where `native` finds programs. */
  readonly nativePath: "host" | "rootfs";
  readonly plan: LaunchPlan;
  /** Where the answers of this node are kept. Default: nowhere. */
  readonly answers?: AnswerStore | undefined;
}

export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** The plan as its command line. */
  readonly command: LaunchCommand;
  /** One sentence each, for people. */
  readonly warnings: readonly string[];
}

/** Those that isolate, in the order in which they are tried where nobody chose. */
export const isolatingRuntimes = ["bwrap", "apptainer", "podman", "docker"] as const;

/** A candidate that was passed over. */
interface PassedOver extends Trouble {
  readonly name: RuntimeName;
  readonly isInstalled: boolean;
}

/**
 * The first of the candidates that works on this node. Each was seen to start a sandbox of the
 * plan's kind: now, or before under the same circumstances.
 * @throws StageError SANDBOX where none does, with the reason for each
 */
export async function chooseRuntime(choice: RuntimeChoice): Promise<ChosenRuntime> {
  const { candidates = isolatingRuntimes } = choice;
  const passedOver: PassedOver[] = [];
  for (const name of candidates) {
    const found = await consider(name, choice);
    if ("runtime" in found) return { ...found, warnings: warningsOf(passedOver, choice) };
    passedOver.push(found);
  }
  throw noneWorks(passedOver);
}

async function consider(
  name: RuntimeName,
  choice: RuntimeChoice,
): Promise<Omit<ChosenRuntime, "warnings"> | PassedOver> {
  const program = name === "native" ? "" : findProgram(name, process.env["PATH"]);
  if (program === undefined) return { name, isInstalled: false, ...notInstalled(name) };
  const answer: RuntimeAnswer =
    name === "native" ? { works: true } : await answerFor({ name, program }, choice);
  if (!answer.works) return { name, isInstalled: true, ...answer };
  const { version, canOverlay, ociRuntime } = answer;
  const { nativePath } = choice;
  const local = localRuntime(name, { program, nativePath });
  const runtime: Runtime = { ...local, version, canOverlay, ociRuntime };
  try {
    return { runtime, command: toCommand(choice.plan, runtime) };
  } catch (error) {
    // What the plan asks for it can't do on any node.
    return { name, isInstalled: true, ...troubleOf(name, error) };
  }
}

/** How long it is believed that something does not work, in milliseconds: somebody may mend it. */
const longestGloom = 10 * 60 * 1000;

async function answerFor(
  { name, program }: Pick<Runtime, "name" | "program">,
  { plan, answers }: RuntimeChoice,
): Promise<RuntimeAnswer> {
  const question = questionIfAny(name, { program, plan });
  const known = question && answers?.find(question);
  if (known && isRuntimeAnswer(known.answer)) {
    const age = Math.abs(Date.now() - known.foundAt);
    if (known.answer.works || age < longestGloom) return known.answer;
  }
  const { tryRuntime } = await import("./try-runtime.js");
  const answer = await tryRuntime(
    { name, program },
    { plan, makeDirectory: answers?.makeDirectory },
  );
  if (question) await answers?.keep(question, { answer, foundAt: Date.now() });
  return answer;
}

/** Undefined where the circumstances can't be told: nothing is remembered then. */
function questionIfAny(
  name: RuntimeName,
  { program, plan }: { program: string; plan: LaunchPlan },
): RuntimeQuestion | undefined {
  try {
    return runtimeQuestion(name, { program, needs: needsOf(plan) });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

const packages: Readonly<Record<RuntimeName, string>> = {
  bwrap: "bubblewrap",
  apptainer: "apptainer",
  podman: "podman",
  docker: "docker",
  native: "",
};

/** Of a runtime whose program is nowhere. */
export function notInstalled(name: RuntimeName): Trouble {
  return {
    reason: "is not installed, or not on PATH",
    remedy: `install ${packages[name]}, or choose another runtime with --runtime`,
  };
}

/** Nobody needs to hear that a runtime is missing that nobody asked for. */
function warningsOf(
  passedOver: readonly PassedOver[],
  { candidates }: RuntimeChoice,
): readonly string[] {
  return passedOver
    .filter(({ isInstalled }) => isInstalled || candidates !== undefined)
    .map(({ name, reason, remedy }) => `${name} ${reason}; ${remedy}`);
}

function noneWorks(passedOver: readonly PassedOver[]): StageError {
  const [first, ...others] = passedOver;
  if (!first) return new StageError("SANDBOX", "there is no runtime to try");
  if (others.length === 0) {
    return new StageError("SANDBOX", `${first.name} ${first.reason}`, { hint: first.remedy });
  }
  const reasons = passedOver.map(({ name, reason }) => `${name} ${reason}`).join("; ");
  const { remedy } = passedOver.find(({ isInstalled }) => isInstalled) ?? first;
  return new StageError("SANDBOX", `no runtime works on this node: ${reasons}`, {
    hint: `${remedy}; stage-rootfs doctor says more`,
  });
}
