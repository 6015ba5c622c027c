import { fromSystemError, StageError } from "../errors.js";

/**
 * Writes the result to stdout.
 * @throws StageError NO_SPACE, NOT_WRITABLE when it can't be written
 */
export async function writeResult(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.once("error", reject);
    process.stdout.write(text, (error) => {
      if (error) return reject(error);
      process.stdout.off("error", reject);
      resolve();
    });
  }).catch((error: unknown) => {
    throw unwritten(error);
  });
}

/** What is said where stdout can't be written to. */
export function unwritten(error: unknown): StageError {
  const known = fromSystemError(error, "write the result to stdout");
  if (known instanceof StageError) return known;
  return new StageError("NOT_WRITABLE", "cannot write the result to stdout: nobody reads it", {
    cause: error,
  });
}

/** Says something on stderr. Where nobody can hear it, the work goes on all the same. */
export function writeMessage(line: string): void {
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", () => undefined);
  process.stderr.write(`${line}\n`);
}
