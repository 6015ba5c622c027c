// @ts-check
/** `npm start [-- IMAGE]`: from a fresh clone to a staged image, with nothing but Node and npm. */
import { buildDist } from "./lib/dist.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { requireMachine } from "./lib/node.mjs";
import { heading, say } from "./lib/say.mjs";
import { runScript } from "./lib/script.mjs";

await runScript("npm start", async () => {
  const node = requireMachine();
  heading("Setting up");
  ensureInstalled(node);
  await buildDist();
  say("Built dist/ from src/.");
  const args = process.argv.slice(2);
  // Imported this late because the demo needs packages that are installed by now.
  if (args.length === 0) {
    const { showDemo } = await import("./demo/show-demo.mjs");
    return showDemo(node);
  }
  const { showImage } = await import("./demo/show-image.mjs");
  return showImage(node, args);
});
