// @ts-check
/** Compiling src/ to dist/. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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
    const declarations = ["--emitDeclarationOnly", "--outDir", fresh];
    const status = run([process.execPath, compiler, "-p", "tsconfig.json", ...declarations]);
    if (status !== 0) {
      throw new ScriptError(`tsc failed with status ${status}: mend what it names above`);
    }
    await bundle(fresh);
    replace(DIST, { by: fresh, keeping: join(scratch, "old") });
    chmodSync(EXECUTABLE, 0o755);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Makes few files of many, because Node takes longer to find and load each than to run it. What
 * answers for an image that stands in the cache is one file of its own, in the module format that
 * Node loads fastest. All files lie in one directory, as the sources that find others by URL expect.
 * @param {string} directory
 */
async function bundle(directory) {
  // Not at the top: what imports this file installs it first.
  const { rolldown } = await import("rolldown");
  const source = (/** @type {string} */ path) => join(ROOT, "src", path);
  const external = /^[^./]/;
  const hit = await rolldown({ input: source("cli/hit.ts"), platform: "node", external });
  const file = join(directory, "hit.cjs");
  await hit.write({
    file,
    format: "cjs",
    minify: { compress: true, mangle: false, codegen: true },
  });
  writeFileSync(file, inAscii(readFileSync(file, "utf8")));
  const keeper = await rolldown({ input: source("cli/keep-code.ts"), platform: "node", external });
  await keeper.write({ file: join(directory, "keep-code.cjs"), format: "cjs" });
  const input = {
    main: source("cli/main.ts"),
    index: source("index.ts"),
    worker: source("extract/worker.ts"),
  };
  const all = await rolldown({ input, platform: "node", external });
  await all.write({ dir: directory, format: "esm", entryFileNames: "[name].js" });
}

/**
 * A script without comments, with escapes in its strings: V8 reads it faster.
 * @param {string} script
 */
function inAscii(script) {
  const escaped = (/** @type {string} */ c) =>
    `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return script.replace(/[\u0080-\uffff]/g, escaped);
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
