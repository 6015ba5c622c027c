#!/usr/bin/env node
// CommonJS, which Node starts faster: an image that stands in the cache is answered by one small
// file, and only then is more loaded.
const { accessSync, constants, existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Script } = require("node:vm");

const dist = join(__dirname, "../dist");
const hit = join(dist, "hit.cjs");
/** What V8 made of that file, if it was kept; V8 itself refuses what it can't use. */
const code = join(dist, `hit-${process.versions.v8}-${process.arch}.code`);
const argv = process.argv.slice(2);
if (!existsSync(hit)) {
  process.stderr.write("stage-rootfs: not built yet (run: npm start)\n");
  process.exitCode = 70;
} else {
  const cachedData = existsSync(code) ? readFileSync(code) : undefined;
  // As require() does it; the build sees to it that the file is ASCII.
  const source = `(function (exports, require, module, __filename) {${readFileSync(hit, "latin1")}\n})`;
  const script = new Script(source, { filename: hit, cachedData });
  /** @type {{ exports: Pick<typeof import("../src/cli/hit.js"), "answerHit"> }} */
  const loaded = { exports: Object.create(null) };
  script.runInThisContext()(loaded.exports, require, loaded, hit);
  const { isAnswered, waitedMs } = loaded.exports.answerHit(argv);
  if (!isAnswered) {
    import(join(dist, "main.js")).then(async ({ main }) => {
      process.exitCode = await main(argv, { waitedMs });
    });
  } else if (!cachedData && mayKeep()) {
    require(join(dist, "keep-code.cjs")).keepCode(code, script.createCachedData());
  }
}

function mayKeep() {
  if (process.execArgv.length > 0 || process.env["NODE_OPTIONS"]) return false;
  try {
    accessSync(dist, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
