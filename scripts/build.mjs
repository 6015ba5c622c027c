// @ts-check
/** `npm run build`: compiles src/ to dist/. */
import { buildDist } from "./lib/dist.mjs";
import { runScript } from "./lib/script.mjs";

await runScript("npm run build", async () => {
  await buildDist();
  return 0;
});
