import type { CacheLayout } from "../layout.js";
import { type IndexQuery, knownImages } from "./source-index.js";
import { type RecordOptions, writeRecord } from "./write-record.js";

/**
 * Remembers what a file's image is, beside what is known of the file's other images.
 * @param fact `path` is where the file is, absolute, for a source that is one
 */
export function rememberFile<Known>(
  layout: CacheLayout,
  fact: Omit<IndexQuery<Known>, "isKnown"> & { known: Known; path?: string | undefined } & Pick<
      RecordOptions,
      "flush"
    >,
): void {
  const { identity, selection, known, path, flush } = fact;
  const images = { ...knownImages(layout, identity), [selection]: known };
  const record = { schemaVersion: 1, state: identity.state, path, images };
  writeRecord(layout.indexRecord(identity.name), record, { layout, flush });
}
