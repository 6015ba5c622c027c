// @ts-check
/** Compiling src/ to dist/. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DIST, EXECUTABLE, MODULES, ROOT, WORK } from "./paths.mjs";
import { run } from "./run.mjs";
import { ScriptError } from "./script.mjs";

/**
 * Builds dist/ anew. The compiler writes to a directory of its own, which takes the place of
 * dist/ only when it is complete: nobody ever loads half a build or a file whose source is gone,
 * and a build that fails leaves the last good one.
 */
export async function buildDist() {
  const compiler = join(MODULES, "typescript", "bin", "tsc");
  if (!existsSync(compiler)) {
    throw new ScriptError("TypeScript is not installed: run npm install first");
  }
  mkdirSync(WORK, { recursive: true });
  const scratch = mkdtempSync(join(WORK, "build-"));
  try {
    const fresh = join(scratch, "dist");
    const status = run([process.execPath, compiler, "-p", "tsconfig.json", "--outDir", fresh]);
    if (status !== 0) {
      throw new ScriptError(`tsc failed with status ${status}: mend what it names above`);
    }
    await bundleHit(join(fresh, "hit.cjs"));
    replace(DIST, { by: fresh, keeping: join(scratch, "old") });
    chmodSync(EXECUTABLE, 0o755);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Makes one file of what answers for an image that stands in the cache, in the module format that
 * Node loads fastest: each file more would take longer than the answer itself.
 * @param {string} file
 */
async function bundleHit(file) {
  // Not at the top: what imports this file installs it first.
  const { rolldown } = await import("rolldown");
  const bundle = await rolldown({
    input: join(ROOT, "src", "cli", "hit.ts"),
    platform: "node",
    external: /^node:/,
  });
  await bundle.write({ file, format: "cjs" });
  await bundle.close();
}

/**
 * @param {string} target
 * @param {{ by: string, keeping: string }} directories
 */
function replace(target, { by, keeping }) {
  if (existsSync(target)) {
    moveAway(target, keeping);
  }
  renameSync(by, target);
}

/**
 * @param {string} directory
 * @param {string} place
 */
function moveAway(directory, place) {
  try {
    renameSync(directory, place);
  } catch (error) {
    // An overlay (a container's root) can't rename a directory that one of its layers brought.
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) {
      throw error;
    }
    rmSync(directory, { recursive: true });
  }
}
