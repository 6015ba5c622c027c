import type { CacheLayout } from "./layout.js";
import { type IndexQuery, knownImages } from "./source-index.js";
import { type RecordOptions, writeRecord } from "./write-record.js";

/** Remembers what a file's image is, beside what is known of the file's other images. */
export function rememberFile<Known>(
  layout: CacheLayout,
  fact: Omit<IndexQuery<Known>, "isKnown"> & { known: Known } & Pick<RecordOptions, "flush">,
): void {
  const { identity, selection, known, flush } = fact;
  const images = { ...knownImages(layout, identity), [selection]: known };
  const record = { schemaVersion: 1, state: identity.state, images };
  writeRecord(layout.indexRecord(identity.name), record, { layout, flush });
}
