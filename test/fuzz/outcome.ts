import { type ErrorCode, StageError } from "../../src/errors.js";

/** What may be said of an image, whatever it holds. */
export const imageCodes: readonly ErrorCode[] = [
  "IMAGE_INVALID",
  "IMAGE_UNSUPPORTED",
  "DIGEST_MISMATCH",
  "LIMIT_LAYERS",
  "LIMIT_DOCUMENT",
  "LIMIT_ENTRIES",
  "LIMIT_UNPACKED",
  "LIMIT_FILE",
  "LIMIT_DEPTH",
  "LIMIT_RATIO",
];

/** What may be said, moreover, of a reference to one of the images in a container. */
export const choiceCodes: readonly ErrorCode[] = [
  ...imageCodes,
  "NOT_FOUND",
  "REFERENCE_AMBIGUOUS",
];

export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refusal: StageError };

/** A result or a proper refusal. @throws Error for any other end */
export function outcomeOf<Value>(act: () => Value, codes: readonly ErrorCode[]): Outcome<Value> {
  try {
    return { ok: true, value: act() };
  } catch (error) {
    return { ok: false, refusal: checkRefusal(error, codes) };
  }
}

/** {@link outcomeOf} for what takes its time. */
export async function outcomeOfAsync<Value>(
  act: () => Promise<Value>,
  codes: readonly ErrorCode[],
): Promise<Outcome<Value>> {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    return { ok: false, refusal: checkRefusal(error, codes) };
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Longer is no message, but somebody's document: a few paths of PATH_MAX, all of it escaped. */
const messageLimit = 64 * 1024;

function checkRefusal(error: unknown, codes: readonly ErrorCode[]): StageError {
  if (!(error instanceof StageError)) throw error;
  const { code, message, hint = "" } = error;
  const complaint = !codes.includes(code)
    ? "an error code that no image should cause"
    : message === ""
      ? "no message"
      : unprintable.test(message) || unprintable.test(hint)
        ? "a message that is not one printable line"
        : message.length > messageLimit
          ? "a message without end"
          : undefined;
  if (complaint === undefined) return error;
  const told = JSON.stringify({ code, message, hint }).slice(0, 2000);
  throw new Error(`${complaint}: ${told}`, { cause: error });
}
