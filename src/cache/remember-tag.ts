import type { CacheLayout } from "./layout.js";
import { type TagRecord, tagRecordName } from "./tag-index.js";
import { writeRecord } from "./write-record.js";

/** Remembers what a tag (in full, `HOST/NAME:TAG`) stands for. */
export function rememberTag(layout: CacheLayout, record: TagRecord & { tag: string }): void {
  const { tag, digest, checkedAt } = record;
  const name = tagRecordName(tag);
  if (name === undefined) return;
  writeRecord(layout.indexRecord(name), { schemaVersion: 1, tag, digest, checkedAt });
}
