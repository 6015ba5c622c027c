import type * as v from "valibot";
import { type ErrorCode, StageError } from "../../errors.js";
import { parseDocument } from "../document.js";

export interface SecretDocumentOptions<Output> {
  readonly schema: v.GenericSchema<unknown, Output>;
  /** The document's name for messages. */
  readonly what: string;
  readonly code: ErrorCode;
  readonly hint: string;
}

/**
 * Parses JSON that holds secrets into what `schema` describes.
 * @throws StageError of `code` that names the place of the fault. It has no cause: those of
 *   `JSON.parse` quote the document.
 */
export function parseSecretDocument<Output>(
  bytes: Buffer,
  { schema, what, code, hint }: SecretDocumentOptions<Output>,
): Output {
  try {
    return parseDocument(bytes, { schema, what });
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    throw new StageError(code, error.message, { hint });
  }
}
