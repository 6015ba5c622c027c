import { existsSync } from "node:fs";
import { isRecord, readJsonIfAny } from "../host/read-json.js";
import { isBelieved } from "./durability/is-believed.js";
import type { CacheLayout } from "./layout.js";

/**
 * What `entry.json` says of the rootfs beside it. It is written last: being there, it is the mark
 * that the rootfs is complete. `Details` is what the caller keeps with it.
 */
export interface Entry<Details> {
  readonly schemaVersion: 1;
  readonly key: string;
  /** In milliseconds since 1970; earlier versions did not write it. */
  readonly stagedAt?: number;
  readonly details: Details;
}

/** Tells whether what was read back is what this version writes. */
export type DetailsGuard<Details> = (value: unknown) => value is Details;

/** The file that describes the entry in `directory`. */
export function entryFile(directory: string): string {
  return `${directory}/entry.json`;
}

/** Where an entry's rootfs is. */
export function rootfsOf(layout: CacheLayout, key: string): string {
  return `${layout.entry(key)}/rootfs`;
}

/** Whether there is an entry under `key`; only reading it tells whether it can be used. */
export function hasEntry(layout: CacheLayout, key: string): boolean {
  return existsSync(entryFile(layout.entry(key)));
}

/**
 * The entry under `key`; undefined where there is none, none that this version can use, one that
 * power loss may have harmed, or one that the cache's owner has not made.
 * @throws StageError PERMISSION
 */
export function readEntry<Details>(
  layout: CacheLayout,
  options: { key: string; isDetails: DetailsGuard<Details> },
): Entry<Details> | undefined {
  const directory = layout.entry(options.key);
  if (!isBelieved(directory)) return undefined;
  return parseEntry(readJsonIfAny(entryFile(directory)), options);
}

/** The entry under `key` in the form it is written in; undefined for what is none. */
export function parseEntry<Details>(
  value: unknown,
  { key, isDetails }: { key: string; isDetails: DetailsGuard<Details> },
): Entry<Details> | undefined {
  if (!isRecord(value) || value["schemaVersion"] !== 1 || value["key"] !== key) return undefined;
  const { stagedAt, details } = value;
  if (!isDetails(details)) return undefined;
  const since = typeof stagedAt === "number" ? { stagedAt } : {};
  return { schemaVersion: 1, key, ...since, details };
}
