import type { BigIntStats } from "node:fs";
import { isRecord, readJsonIfAny } from "../../host/read-json.js";
import type { CacheLayout } from "../layout.js";
import { isOwners } from "../place/trust.js";

/**
 * What was found out about an archive, under the file's identity: device and inode in the record's
 * name, size and times in the record. A file that was changed has other times, so the archive needs
 * neither reading nor hashing to be known again.
 */
export interface FileIdentity {
  readonly name: string;
  readonly state: string;
}

export function fileIdentity(stat: BigIntStats): FileIdentity {
  return {
    name: `${stat.dev}-${stat.ino}`,
    state: `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`,
  };
}

export interface IndexQuery<Known> {
  readonly identity: FileIdentity;
  /** Which of the file's images: what was chosen, and for which platform. */
  readonly selection: string;
  readonly isKnown: (value: unknown) => value is Known;
}

/** What is known of a file's image; undefined when nothing is, or the file has changed. */
export function lookUpFile<Known>(
  layout: CacheLayout,
  query: IndexQuery<Known>,
): Known | undefined {
  const known = knownImages(layout, query.identity)[query.selection];
  return query.isKnown(known) ? known : undefined;
}

/** What is known of a file's images, by selection; empty when nothing is, or the file has changed. */
export function knownImages(
  layout: CacheLayout,
  identity: FileIdentity,
): Readonly<Record<string, unknown>> {
  const path = layout.indexRecord(identity.name);
  const record = isOwners(path) ? readJsonIfAny(path) : undefined;
  if (!isRecord(record) || record["schemaVersion"] !== 1) return {};
  if (record["state"] !== identity.state || !isRecord(record["images"])) return {};
  return record["images"];
}
