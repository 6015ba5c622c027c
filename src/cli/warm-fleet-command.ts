import { resolve } from "node:path";
import { StageError } from "../errors.js";
import type { BroadcastOptions } from "../fleet/broadcast/broadcast.js";
import { compressNodeList } from "../fleet/node-list.js";
import type { FleetEvent, FleetReport } from "../fleet/warm/fleet-event.js";
import { type FleetOptions, warmNodes } from "../fleet/warm/warm-nodes.js";
import { now } from "../host/clock.js";
import { FleetDisplay } from "./fleet-display.js";
import { plural } from "./fleet-table.js";
import { nodeLine, resultLines, summaryEvent, troubleLines } from "./fleet-text.js";
import { handedOn } from "./handed-on.js";
import { interruptible } from "./interruption.js";
import { choiceOption, numberOption, type OptionValues, sizeOption } from "./options.js";
import { unwritten, writeMessage, writeResult } from "./output.js";
import { progressOption, stagingOptions } from "./staging-options.js";
import { writeAtOnce } from "./write-at-once.js";

/**
 * `stage-rootfs warm --slurm`: has Slurm stage images on many nodes.
 * @returns the exit status
 */
export async function warmFleetCommand(
  images: readonly string[],
  values: OptionValues,
): Promise<number> {
  if (images.includes("-")) {
    throw new StageError("USAGE", "standard input can't be staged on many nodes", {
      hint: "put the archive where all nodes see it, and name it",
    });
  }
  const options = fleetOptions(values);
  const teller = new FleetTeller(images, values);
  const unheard = new AbortController();
  const onEvent = (event: FleetEvent) => {
    try {
      teller.tell(event);
    } catch (cause) {
      unheard.abort(unwritten(cause));
    }
  };
  try {
    const report = await interruptible(
      async (stop) => {
        const signal = AbortSignal.any([stop, unheard.signal]);
        const onNodes = (nodes: readonly string[]) => teller.start(nodes);
        const run = { ...options, signal, onNodes, onEvent };
        const spread = spreadOption(values);
        if (spread === undefined) return await warmNodes(images, run);
        const { broadcastImages } = await import("../fleet/broadcast/broadcast.js");
        return await broadcastImages(images, { ...run, ...spread });
      },
      { hint: "all steps are cancelled; what was finished on the nodes stays there" },
    );
    unheard.signal.throwIfAborted();
    teller.close();
    await tellResult(report, values);
    return report.exitStatus;
  } finally {
    teller.close();
  }
}

async function tellResult(report: FleetReport, { json }: OptionValues): Promise<void> {
  for (const line of troubleLines(report)) writeMessage(line);
  const lines = json ? [JSON.stringify(summaryEvent(report))] : resultLines(report);
  await writeResult(lines.map((line) => `${line}\n`).join(""));
}

/** Words of the fleet's own. @throws StageError USAGE */
function fleetOptions(values: OptionValues): FleetOptions {
  // What every node would refuse is refused here.
  stagingOptions({ ...values, lease: values.lease ?? "none" });
  sizeOption(values, "budget");
  spreadOption(values);
  const fanIn = numberOption(values, "fan-in");
  if (fanIn === 0) throw new StageError("USAGE", "--fan-in takes a number from 1");
  const script = process.argv[1] ?? "stage-rootfs";
  const program = values["node-program"];
  return {
    nodes: values.nodes,
    partition: values.partition,
    fanIn,
    retry: numberOption(values, "retry"),
    startWithin: numberOption(values, "start-within"),
    deadline: numberOption(values, "deadline"),
    program: program === undefined ? [process.execPath, script] : [program],
    args: handedOn(values),
  };
}

/** How images that are read once get to the nodes; undefined where each node reads for itself. */
function spreadOption(values: OptionValues): Pick<BroadcastOptions, "via" | "packing"> | undefined {
  const words = ["direct", "registry", "sbcast", "shared"] as const;
  const via = choiceOption(values, { name: "via", words }) ?? "direct";
  const { share } = values;
  if ((via === "shared") !== (share !== undefined)) {
    throw new StageError("USAGE", "--via shared and --share DIR belong together", {
      hint: "DIR is a directory that all nodes see at the same path",
    });
  }
  if (via === "direct" || via === "registry") return undefined;
  if (values.from !== undefined) {
    throw new StageError("USAGE", `--from DIR has the packs that --via ${via} would make`, {
      hint: "leave out one of them: with --from alone, every node reads DIR",
    });
  }
  const packing = stagingOptions({ ...values, lease: "none" });
  if (share === undefined) return { via: { kind: "sbcast" }, packing };
  return { via: { kind: "shared", directory: resolve(share) }, packing };
}

/** Tells of what happens: a table at a terminal, else lines; with `--json`, events on stdout. */
class FleetTeller {
  readonly #images: readonly string[];
  readonly #isJson: boolean;
  readonly #wish: "table" | "lines" | "json" | "none";
  #display: FleetDisplay | undefined;

  constructor(images: readonly string[], values: OptionValues) {
    const { json = false, quiet } = values;
    this.#images = images;
    this.#isJson = json;
    const wish = quiet ? "none" : progressOption(values);
    const isTable = wish === "auto" && process.stderr.isTTY && !json;
    const isSilent = wish === "none" || (wish === "auto" && json);
    this.#wish = isTable ? "table" : isSilent ? "none" : wish === "json" ? "json" : "lines";
  }

  start(nodes: readonly string[]): void {
    const images = this.#images;
    if (this.#wish === "lines") {
      const what = `${plural(images.length, "image")} on ${plural(nodes.length, "node")}`;
      writeMessage(`stage-rootfs: ${what}: ${compressNodeList(nodes)}`);
    }
    if (this.#wish !== "table") return;
    const { stderr } = process;
    const size = () => ({ columns: stderr.columns || 80, rows: stderr.rows || 24 });
    const terminal = { write: (text: string) => stderr.write(text), size };
    this.#display = new FleetDisplay(images, { nodes, terminal, now });
  }

  tell(event: FleetEvent): void {
    this.#display?.add(event);
    if (this.#isJson) writeAtOnce(`${JSON.stringify(event)}\n`);
    if (this.#wish === "json") writeMessage(JSON.stringify(event));
    const line = this.#wish === "lines" ? nodeLine(event) : undefined;
    if (line !== undefined) writeMessage(line);
  }

  /** Harmless when repeated. */
  close(): void {
    this.#display?.close();
    this.#display = undefined;
  }
}
