import { isRecord, readJsonIfAny } from "../../host/read-json.js";
import type { CacheLayout } from "../layout.js";
import { isOwners } from "../place/trust.js";

/**
 * Something that was found out about one node, for one question: the cache may be seen by several
 * nodes, so each question of each node has a record of its own, and the record says under which
 * circumstances the answer was found.
 */
export interface NodeQuestion {
  /** Safe as a part of a file's name; no other question of any node has it. */
  readonly name: string;
  /** All that the answer may depend on. */
  readonly state: string;
}

export interface NodeAnswer {
  readonly answer: unknown;
  /** When it was found, in milliseconds since 1970. */
  readonly foundAt: number;
}

/** The record's name in the index. */
export function answerRecordName({ name }: NodeQuestion): string {
  return `node-${name}`;
}

/** What was found out in the same circumstances; undefined where nothing was. */
export function lookUpAnswer(layout: CacheLayout, question: NodeQuestion): NodeAnswer | undefined {
  const path = layout.indexRecord(answerRecordName(question));
  const record = isOwners(path) ? readJsonIfAny(path) : undefined;
  if (!isRecord(record) || record["schemaVersion"] !== 1) return undefined;
  const { state, answer, foundAt } = record;
  if (state !== question.state || typeof foundAt !== "number") return undefined;
  return { answer, foundAt };
}
