import type { CacheLayout } from "../layout.js";
import { answerRecordName, type NodeAnswer, type NodeQuestion } from "./node-answers.js";
import { writeRecord } from "./write-record.js";

/**
 * Remembers what was found out about this node, in place of what was known before.
 * @throws StageError NO_SPACE, NOT_WRITABLE, PERMISSION
 */
export function rememberAnswer(
  layout: CacheLayout,
  { name, state, answer, foundAt }: NodeQuestion & NodeAnswer,
): void {
  const record = { schemaVersion: 1, state, answer, foundAt };
  writeRecord(layout.indexRecord(answerRecordName({ name, state })), record, { layout });
}
