// @ts-check
/** `npm run bench`: measures stage-rootfs against what else unpacks images. */
import { buildDist } from "../scripts/lib/dist.mjs";
import { ensureInstalled } from "../scripts/lib/install.mjs";
import { ltsNode, requireMachine } from "../scripts/lib/node.mjs";
import { runScript } from "../scripts/lib/script.mjs";

await runScript("npm run bench", async () => {
  const machine = requireMachine();
  ensureInstalled(machine);
  // What follows needs packages that are installed by now.
  const { helpText, parseOptions } = await import("./options.mjs");
  const { PARTS } = await import("./parts/parts.mjs");
  const options = parseOptions(process.argv.slice(2), PARTS);
  if (options.help) {
    process.stdout.write(helpText(PARTS));
    return 0;
  }
  await buildDist();
  const lts = ltsNode();
  const nodes = lts === undefined || lts.major === machine.major ? [machine] : [machine, lts];
  const { bench } = await import("./bench.mjs");
  return bench(options, nodes);
});
