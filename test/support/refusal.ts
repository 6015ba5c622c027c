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

/** Users see a message as one line, so one that spans two is as wrong as another error class. */
function asRefusal(error: unknown): StageError {
  if (!(error instanceof StageError)) throw error;
  if (/[\r\n]/.test(error.message)) {
    throw new Error(`a message of several lines: ${JSON.stringify(error.message)}`);
  }
  return error;
}
