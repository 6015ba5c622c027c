// @ts-check

/** A failure whose message is all that its reader needs: what, why and what to do, in one line. */
export class ScriptError extends Error {
  /** @override */
  name = "ScriptError";
}

/**
 * Runs a script to its end and sets the exit status: what `main` returns, or 1 after an error.
 * @param {string} name how the user started it, such as `npm start`
 * @param {() => number | Promise<number>} main
 */
export async function runScript(name, main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const text = error instanceof ScriptError ? error.message : describe(error);
    process.stderr.write(`${name}: ${text}\n`);
    process.exitCode = 1;
  }
}

/** @param {unknown} error */
function describe(error) {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
