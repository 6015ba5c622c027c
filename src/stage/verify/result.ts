import type { FindingCode } from "../../extract/check/finding.js";

/** What a check of the cache found. Keys are only ever added. */
export interface Verification {
  readonly schemaVersion: 1;
  /** Whether nothing differs that was looked at. */
  readonly intact: boolean;
  /** Whether there was damage, and it is gone. */
  readonly repaired: boolean;
  readonly entries: readonly VerifiedEntry[];
  /** Layers that were looked at, with those that no entry needs. */
  readonly layers: readonly VerifiedLayer[];
  readonly findings: readonly Finding[];
  /** What a repair could not do. */
  readonly failures: readonly RepairFailure[];
  /** What was looked at. */
  readonly checked: Checked;
  /** Null where all content was looked at. */
  readonly sample: Sample | null;
}

export interface VerifiedEntry {
  readonly key: string;
  readonly imageId: string;
  /** `gone`: somebody removed it meanwhile. `busy`: somebody changed it all the time. */
  readonly state: "intact" | "damaged" | "gone" | "busy";
  /** What was done about its damage; null where nothing was asked for, or there is none. */
  readonly repair: RepairOutcome | null;
}

/**
 * - `restaged`: it stands anew, from the same source;
 * - `dropped`: it is gone; its source is not known, or has another image now, or can't be staged;
 * - `stuck`: it could not be removed, see the failures;
 * - `leased`: it is in use, so it was left as it is; `busy`: somebody makes or changes it.
 */
export type RepairOutcome = "restaged" | "dropped" | "stuck" | "leased" | "busy";

/** Something that could not be removed, or not be staged again. */
export interface RepairFailure {
  /** What it is: a layer, or an entry. */
  readonly in: Finding["in"];
  /** The layer's name, or the entry's key. */
  readonly name: string;
  readonly message: string;
}

export interface VerifiedLayer {
  /** Its name in the cache. */
  readonly name: string;
  readonly state: "intact" | "damaged" | "gone";
  /** By what its files are known; `missing` where it was unpacked by a version that wrote no listing. */
  readonly digests: "sha256" | "crc32" | "none" | "missing";
}

/** One difference. */
export interface Finding {
  readonly code: FindingCode;
  /** What has it: a layer's tree, or an entry's rootfs. */
  readonly in: "layer" | "rootfs";
  /** The layer's name, or the entry's key. */
  readonly name: string;
  /** Fit for a terminal; empty for the tree itself. */
  readonly path: string;
  readonly message: string;
}

export interface Checked {
  /** Names in all trees. */
  paths: number;
  /** Files whose content was read. */
  files: number;
  /** Their bytes. */
  bytes: number;
  /** Files and directories that this user may not read: what they hold was not looked at. */
  unreadable: number;
  /** Files without a digest on record: only their size is known. */
  withoutDigest: number;
}

export interface Sample {
  /** How many of a hundred files were read. */
  readonly percent: number;
  /** The same seed chooses the same files again. */
  readonly seed: number;
}

/** What a check tells while it works. */
export type VerifyEvent =
  | { readonly type: "checking"; readonly in: "layer" | "rootfs"; readonly name: string }
  | { readonly type: "repairing"; readonly key: string; readonly source: string };
