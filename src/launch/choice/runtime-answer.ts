import { isRecord } from "../../host/read-json.js";
import type { OciRuntime } from "../runtime.js";

/** What was found out about a runtime on this node, for plans of one kind. */
export type RuntimeAnswer = WorkingRuntime | BrokenRuntime;

export interface WorkingRuntime {
  readonly works: true;
  readonly version?: string | undefined;
  readonly canOverlay?: boolean | undefined;
  readonly ociRuntime?: OciRuntime | undefined;
}

export interface BrokenRuntime extends Trouble {
  readonly works: false;
  readonly version?: string | undefined;
}

/** Why a runtime does not work, and what to do about it. */
export interface Trouble {
  /** What follows the runtime's name in a sentence: `is not installed`. */
  readonly reason: string;
  /** One sentence, for whoever can do something about it. */
  readonly remedy: string;
}

/** Whether a record of ours is an answer. */
export function isRuntimeAnswer(value: unknown): value is RuntimeAnswer {
  if (!isRecord(value)) return false;
  const { works, version, canOverlay, ociRuntime, reason, remedy } = value;
  if (version !== undefined && typeof version !== "string") return false;
  if (works === true) {
    return isOneOf(canOverlay, [undefined, true, false]) && isOneOf(ociRuntime, ociRuntimes);
  }
  return works === false && typeof reason === "string" && typeof remedy === "string";
}

const ociRuntimes: readonly (OciRuntime | undefined)[] = [undefined, "crun", "runc"];

function isOneOf(value: unknown, known: readonly unknown[]): boolean {
  return known.includes(value);
}
