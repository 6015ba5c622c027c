import type { ErrorReport } from "../../errors.js";
import type { LayerProgress } from "../result.js";

/** What warming a node tells while it works; `warm --json` prints each as a line. */
export type WarmEvent =
  | {
      /** Said first. */
      readonly type: "node";
      /** The node's name: Slurm's where it has one. */
      readonly node: string;
      readonly cacheDirectory: string;
      /** Other nodes of the same run that have this very directory, which should be the node's own. */
      readonly sharedWith: readonly string[];
    }
  | {
      readonly type: "image";
      readonly node: string;
      readonly image: string;
      readonly state: "staging" | "waiting" | "retrying";
      /** From 1. */
      readonly attempt: number;
      /** How far its layers are; null as long as that is not known. */
      readonly layers: LayerProgress | null;
      /** Why it is tried again; null otherwise. */
      readonly error: ErrorReport | null;
    }
  | {
      readonly type: "image";
      readonly node: string;
      readonly image: string;
      /** `hit`: it stood already. */
      readonly state: "hit" | "staged";
      readonly key: string;
      readonly rootfs: string;
      /** Bytes of file content of all its layers. */
      readonly unpackedSize: number;
      /** Bytes that came from a registry. */
      readonly fetched: number;
      /** Wall time of the last attempt, in milliseconds. */
      readonly ms: number;
    }
  | {
      readonly type: "image";
      readonly node: string;
      readonly image: string;
      readonly state: "failed" | "skipped";
      /** Why; for `skipped`, that the budget does not allow for it, or that time is up. */
      readonly error: ErrorReport;
    }
  | {
      /** Said last. */
      readonly type: "end";
      readonly node: string;
      readonly ready: number;
      readonly failed: number;
      readonly skipped: number;
      /** Wall time, in milliseconds. */
      readonly ms: number;
    };
