import { StageError } from "../../src/errors.js";

/** The StageError that `act` throws. Any other outcome fails the test. */
export function refusal(act: () => unknown): StageError {
  let value: unknown;
  try {
    value = act();
  } catch (error) {
    return asRefusal(error);
  }
  throw new Error(`not refused, but gave ${JSON.stringify(value)?.slice(0, 500)}`);
}

/** The StageError that `promise` is rejected with. Any other outcome fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<StageError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return asRefusal(error);
  }
  throw new Error(`not refused, but gave ${JSON.stringify(value)?.slice(0, 500)}`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const unprintable = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/**
 * Users see message and hint as a line each, so one that spans two, or that writes to the terminal,
 * is as wrong as another error class.
 */
function asRefusal(error: unknown): StageError {
  if (!(error instanceof StageError)) throw error;
  for (const line of [error.message, error.hint ?? ""]) {
    if (unprintable.test(line)) throw new Error(`not one printable line: ${JSON.stringify(line)}`);
  }
  return error;
}
