import { isRecord, readJsonIfAny } from "../../host/read-json.js";
import type { CacheLayout } from "../layout.js";
import { isOwners } from "../place/trust.js";

/** What a tag of a registry stood for when it was looked up last. */
export interface TagRecord {
  readonly digest: string;
  /** When that was, in milliseconds since 1970. */
  readonly checkedAt: number;
}

/** The longest file name of Linux's file systems, in bytes. */
const longestName = 255;

/**
 * The record's name in the index; undefined for a tag whose name is too long for one. Nothing is
 * remembered of such a tag.
 * @param tag in full, `HOST/NAME:TAG`
 */
export function tagRecordName(tag: string): string | undefined {
  const name = `tag-${encodeURIComponent(tag)}`;
  return name.length + ".json".length > longestName - 32 ? undefined : name;
}

/** What is known of a tag; undefined where nothing is. */
export function lookUpTag(layout: CacheLayout, tag: string): TagRecord | undefined {
  const name = tagRecordName(tag);
  if (name === undefined) return undefined;
  const path = layout.indexRecord(name);
  const record = isOwners(path) ? readJsonIfAny(path) : undefined;
  if (!isRecord(record) || record["schemaVersion"] !== 1 || record["tag"] !== tag) return undefined;
  const { digest, checkedAt } = record;
  if (typeof digest !== "string" || typeof checkedAt !== "number") return undefined;
  return { digest, checkedAt };
}
