import type { ByteString } from "../../host/byte-string.js";

/** How something differs from what is on record. */
export type FindingCode =
  | "CONTENT"
  | "MISSING"
  | "ADDED"
  | "KIND"
  | "MODE"
  | "OWNER"
  | "TIME"
  | "TARGET"
  | "LINK"
  | "RECORD";

/** One difference between a tree and what is on record of it. */
export interface TreeFinding {
  readonly code: FindingCode;
  readonly path: ByteString;
  /** `mode is 0644, not 0755` */
  readonly message: string;
}
