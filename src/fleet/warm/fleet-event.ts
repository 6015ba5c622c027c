import type { ErrorReport } from "../../errors.js";
import type { WarmEvent } from "../../stage/warm/warm-event.js";

/** What warming many nodes tells; `warm --slurm --json` prints each as a line. */
export type FleetEvent =
  /** What a node tells, under the name that Slurm has for it. */
  | WarmEvent
  | {
      readonly type: "step";
      readonly node: string;
      /** `queued`: its job waits for room on the node. */
      readonly state: "starting" | "queued" | "retrying";
      /** From 1. */
      readonly attempt: number;
      /** Why it is tried again; null otherwise. */
      readonly error: ErrorReport | null;
    }
  | {
      /** A line that a node wrote and that is no event. */
      readonly type: "log";
      readonly node: string;
      readonly text: string;
    }
  | {
      /** The first two nodes are seen that have one and the same directory. */
      readonly type: "shared";
      readonly nodes: readonly string[];
      readonly cacheDirectory: string;
    }
  | NodeResult;

/** How a node ended. */
export interface NodeResult {
  readonly type: "result";
  readonly node: string;
  /**
   * `warm`: all images stood already, or are left out by the budget; `staged`: all are ready now;
   * `partial`: some are; `failed`: none is.
   */
  readonly outcome: "warm" | "staged" | "partial" | "failed";
  readonly ready: number;
  readonly failed: number;
  readonly skipped: number;
  /** Wall time of the last try, in milliseconds. */
  readonly ms: number;
  /** Why the node itself failed; null where it did not, whatever became of images. */
  readonly error: ErrorReport | null;
}

/** Something that went wrong in the same way on several nodes. */
export interface FleetFailure {
  /** The image it went wrong with; null for a node that failed as a whole. */
  readonly image: string | null;
  readonly error: ErrorReport;
  readonly nodes: readonly string[];
}

/** A directory that several nodes have, though each should have its own. */
export interface SharedDirectory {
  readonly cacheDirectory: string;
  readonly nodes: readonly string[];
}

/** What became of all nodes. Keys are only ever added. */
export interface FleetReport {
  readonly schemaVersion: 1;
  /** In the order in which they ended. */
  readonly nodes: readonly NodeResult[];
  readonly failures: readonly FleetFailure[];
  /** Images that the budget left out. */
  readonly leftOut: readonly FleetFailure[];
  readonly shared: readonly SharedDirectory[];
  /** 0: all images are ready on all nodes; 1: some; where none is, the first failure's. */
  readonly exitStatus: number;
  /** Wall time, in milliseconds. */
  readonly ms: number;
}
