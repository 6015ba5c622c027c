import type { StageError } from "../../errors.js";
import type { StageOptions } from "../request.js";
import type { StageResult } from "../result.js";
import type { WarmEvent } from "./warm-event.js";

/** What can be said of staging a list of images. */
export interface WarmOptions extends Omit<StageOptions, "onEvent" | "waitedMs" | "trace"> {
  /** As for one image; default: `none`. */
  readonly lease?: StageOptions["lease"];
  /**
   * How long all of the list may take, in seconds. Images that are not reached until then are left
   * out; those that stand already are found all the same. Default: as long as it takes.
   */
  readonly deadline?: number | undefined;
  /** How often an image is tried again that may do better the next time. Default: 0. */
  readonly retry?: number | undefined;
  /**
   * Bytes of file content that the images of the list may have together, each layer counted once,
   * whether the cache had it already or not. What does not fit is left out, in the order of the
   * list; what stands already is not. Sizes of what is not unpacked yet are estimates. Default: no
   * limit.
   */
  readonly budget?: number | undefined;
  /**
   * A directory of packs, as `packImage` makes them, that images are taken from. One that has no
   * pack there, or a broken one, comes from where its reference says, unless `offline`.
   */
  readonly from?: string | undefined;
  readonly onEvent?: ((event: WarmEvent) => void) | undefined;
}

/** What became of one image. */
export type WarmedImage =
  | {
      readonly image: string;
      /** `hit`: it stood already, or another process made it meanwhile. */
      readonly state: "hit" | "staged";
      readonly result: StageResult;
    }
  | {
      readonly image: string;
      /** `skipped`: the budget does not allow for it (NO_SPACE), or time was up before (BUSY). */
      readonly state: "failed" | "skipped";
      readonly error: StageError;
    };

/** What became of a list of images. Keys are only ever added. */
export interface WarmReport {
  readonly schemaVersion: 1;
  readonly node: string;
  readonly cacheDirectory: string;
  /** In the order of the list, each once. */
  readonly images: readonly WarmedImage[];
  /** Wall time, in milliseconds. */
  readonly ms: number;
}
