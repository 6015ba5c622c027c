#!/usr/bin/env node
// CommonJS, which Node starts faster: an image that stands in the cache is answered by one small
// file, and only then is more loaded.
const { existsSync } = require("node:fs");
const { join } = require("node:path");

const dist = join(__dirname, "../dist");
const hit = join(dist, "hit.cjs");
const argv = process.argv.slice(2);
if (!existsSync(hit)) {
  process.stderr.write("stage-rootfs: not built yet (run: npm start)\n");
  process.exitCode = 70;
} else {
  const { isAnswered, waitedMs } = require(hit).answerHit(argv);
  if (!isAnswered) {
    import(join(dist, "main.js")).then(async ({ main }) => {
      process.exitCode = await main(argv, { waitedMs });
    });
  }
}
