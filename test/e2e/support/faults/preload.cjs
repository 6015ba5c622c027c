// @ts-check
/**
 * Loaded into every thread of the program before anything else (`NODE_OPTIONS=--require`), this
 * stands between the program and the file system: it counts the calls that change something, and at
 * the one it was told of (`FAULT`, JSON) it ends, stops or fails the program. CommonJS, because it
 * has to be there before the first import; what imports node:fs later gets what it has put there.
 */
const childProcess = require("node:child_process");
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");

/**
 * @typedef {object} Fault
 * @property {string} root directory whose files count, of a cache
 * @property {string} [step] a regular expression for `CALL PATH`, PATH being below `root`
 * @property {number} nth at which of the calls it comes, from 1, in any one thread
 * @property {"before" | "after"} when
 * @property {string} what a signal, or an errno
 * @property {string} [log] file that gets a line for each call
 * @property {string} [lasting] file that says, by being there, that it has come and stays
 */

/** @type {Fault} */
const fault = JSON.parse(process.env["FAULT"] ?? "null");

/** The calls that change something, and how many paths each starts with; 0 for an open file. */
const calls = /** @type {const} */ ({
  mkdirSync: 1,
  rmdirSync: 1,
  rmSync: 1,
  unlinkSync: 1,
  renameSync: 2,
  linkSync: 2,
  copyFileSync: 2,
  symlinkSync: 2,
  chmodSync: 1,
  utimesSync: 1,
  lutimesSync: 1,
  writeFileSync: 1,
  openSync: 1,
  writeSync: 0,
  fsyncSync: 0,
  ftruncateSync: 0,
  closeSync: 0,
});

const { appendFileSync, existsSync, writeFileSync } = fs;
const step = fault?.step === undefined ? undefined : new RegExp(fault.step);
let count = 0;
/** @type {Map<number, string>} */
const openFiles = new Map();

/** @param {unknown} path */
function below(path) {
  return String(path).replace(`${fault.root}/v1/`, "").replace(`${fault.root}/v1`, ".");
}

/**
 * @param {keyof typeof calls} name
 * @param {readonly unknown[]} args
 */
function stepOf(name, args) {
  const paths = args
    .slice(0, calls[name] || 1)
    .map((arg) => (typeof arg === "number" ? openFiles.get(arg) : arg));
  if (!paths.some((path) => String(path).startsWith(fault.root))) return undefined;
  return `${name.replace("Sync", "")} ${paths.map(below).join(" -> ")}`;
}

/** What takes room on a disk, and so fails again as long as there is none. */
const needsRoom = /^(mkdir|rename|link|copyFile|symlink|writeFile|open|write)\b/;

/**
 * Does `act`, or what is to go wrong instead of it, or after it.
 * @param {string} what
 * @param {() => unknown} act
 */
function through(what, act) {
  if (fault.log !== undefined) appendFileSync(fault.log, `${what}\n`);
  if (fault.lasting !== undefined && existsSync(fault.lasting) && needsRoom.test(what)) fail(what);
  if (step && !step.test(what)) return act();
  count++;
  if (count !== fault.nth) return act();
  if (fault.when === "before") happen(what);
  const result = act();
  if (fault.when === "after") happen(what);
  return result;
}

/** @param {string} what */
function happen(what) {
  if (fault.what.startsWith("SIG")) process.kill(process.pid, fault.what);
  else {
    if (fault.lasting !== undefined) writeFileSync(fault.lasting, "");
    fail(what);
  }
}

/** @param {string} what */
function fail(what) {
  throw Object.assign(new Error(`${fault.what}: made to fail, ${what}`), { code: fault.what });
}

if (fault) {
  const files = /** @type {any} */ (fs);
  for (const name of /** @type {(keyof typeof calls)[]} */ (Object.keys(calls))) {
    const original = files[name];
    files[name] = (/** @type {unknown[]} */ ...args) => {
      const what = stepOf(name, args);
      if (what === undefined) return original(...args);
      const result = through(what, () => original(...args));
      if (name === "openSync") openFiles.set(Number(result), String(args[0]));
      if (name === "closeSync") openFiles.delete(Number(args[0]));
      return result;
    };
  }
  // Where caches of tests are in memory, the program is to go about it as on a disk.
  const { statfsSync } = fs;
  files.statfsSync = (/** @type {[string]} */ ...args) => ({
    ...statfsSync(...args),
    type: 0xef53,
  });
  /** @type {any} */
  const processes = childProcess;
  const { spawn } = childProcess;
  processes.spawn = (/** @type {[string, string[], object]} */ ...args) =>
    through(`spawn ${args[0]} ${args[1].map(below).join(" ")}`, () => spawn(...args));
  syncBuiltinESMExports();
}
