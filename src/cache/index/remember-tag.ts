import type { CacheLayout } from "../layout.js";
import { type TagRecord, tagRecordName } from "./tag-index.js";
import { writeRecord } from "./write-record.js";

/** Remembers what a tag (in full, `HOST/NAME:TAG`) stands for. */
export function rememberTag(layout: CacheLayout, found: TagRecord & { tag: string }): void {
  const { tag, digest, checkedAt } = found;
  const name = tagRecordName(tag);
  if (name === undefined) return;
  const record = { schemaVersion: 1, tag, digest, checkedAt };
  writeRecord(layout.indexRecord(name), record, { layout });
}
