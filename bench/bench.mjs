// @ts-check
/** One run of the bench, from finding the peers to writing the reports. */
import { loadavg } from "node:os";
import { forCaller } from "../scripts/lib/paths.mjs";
import { heading, say } from "../scripts/lib/say.mjs";
import { ScriptError } from "../scripts/lib/script.mjs";
import { systemImages } from "./images/system-images.mjs";
import { describeMachine } from "./machine.mjs";
import { gnuTime } from "./measure/timed-run.mjs";
import { makeWorkplace, removeAll } from "./measure/workplace.mjs";
import { measurePart } from "./parts/measure-part.mjs";
import { PARTS } from "./parts/parts.mjs";
import { findPeers, installPeers, PEER_KINDS } from "./peers/peers.mjs";
import { resultFiles, writeDocs, writeFiles } from "./report/files.mjs";
import { machineLine, plainGoals, plainPart } from "./report/page.mjs";
import { merged, readResults } from "./report/results.mjs";

/** A quick run begins no further round after so many ms, of the three minutes that it may take. */
const QUICK_TIME = 120_000;

const GIB = 1024 ** 3;

/** What a part needs to unpack to: some peers hold an image three times while they work. */
const ROOM = { quick: 1 * GIB, full: 4 * GIB };

/** Above this load others run too, and figures are off. */
const BUSY = 0.5;

/**
 * @param {import("./options.mjs").Options} options
 * @param {readonly import("../scripts/lib/node.mjs").Node[]} nodes
 * @returns {Promise<number>} the exit status
 */
export async function bench(options, nodes) {
  const { quick, rounds, dir, parts } = options;
  if (options.install) {
    heading("Installing what to compare with");
    installPeers();
  }
  heading("What is compared");
  const peers = findPeers();
  describePeers(peers, nodes);
  const workplace = makeWorkplace(dir, quick ? ROOM.quick : ROOM.full);
  const measured = [];
  try {
    const signal = interruption();
    const use = { quick, nodes, system: systemImages(quick), peer: peerById(peers) };
    // The last parts take the least time: what they leave of a quick run goes to the others.
    const toMeasure = PARTS.filter(({ name }) => parts.includes(name)).reverse();
    for (const [index, part] of toMeasure.entries()) {
      heading(`${part.name}: ${part.does}`);
      const now = performance.now();
      const until = now + (QUICK_TIME - now) / (toMeasure.length - index);
      const result = await measurePart(part, {
        bench: use,
        workplace: workplace.directory,
        rounds,
        isOver: () => quick && performance.now() > until,
        signal,
      });
      say(plainPart(result));
      measured.push(result);
    }
  } finally {
    removeAll(workplace.directory);
  }
  const fresh = {
    schemaVersion: /** @type {const} */ (1),
    machine: describeMachine(workplace.fileSystem),
    programs: [...peers.values()].flatMap((peer) => {
      return typeof peer === "string"
        ? []
        : [{ label: peer.label, version: peer.version, does: peer.does }];
    }),
    parts: measured,
  };
  conclude(fresh, options);
  return 0;
}

/**
 * @param {import("./report/results.mjs").Results} fresh
 * @param {import("./options.mjs").Options} options
 */
function conclude(fresh, { quick, writeDocs: documented }) {
  const order = PARTS.map(({ name }) => name);
  const results = merged(readResults(resultFiles(quick).json), fresh, order);
  if (results.parts.length === 0) {
    say("Nothing was measured, now or before.");
    return;
  }
  heading(quick ? "Goals (for a full run; a quick one only hints at them)" : "Goals");
  say(plainGoals(results));
  say(machineLine(results));
  const files = Object.values(writeFiles(results, quick));
  const pages = documented ? writeDocs(results) : [];
  say(`Written: ${[...files, ...pages].map(forCaller).join(", ")}`);
}

/**
 * @param {ReadonlyMap<string, import("./peers/peer.mjs").Peer | string>} peers
 * @returns {import("./parts/part.mjs").Bench["peer"]}
 */
function peerById(peers) {
  return (id) => peers.get(id) ?? "unknown";
}

/**
 * @param {ReadonlyMap<string, import("./peers/peer.mjs").Peer | string>} peers
 * @param {readonly import("../scripts/lib/node.mjs").Node[]} nodes
 */
function describePeers(peers, nodes) {
  for (const { version, path } of nodes) {
    say(`stage-rootfs on Node ${version} (${path})`);
  }
  for (const { id, label } of PEER_KINDS) {
    const peer = peerById(peers)(id);
    say(typeof peer === "string" ? `${label}: not measured, ${peer}` : `${label}: ${peer.version}`);
  }
  if (gnuTime === undefined) {
    say("GNU time is not installed: processor time and memory are not measured.");
  }
  const [load = 0] = loadavg();
  if (load > BUSY) {
    say(`The machine is busy (load ${load.toFixed(1)}): figures will be off.`);
  }
}

/** Aborted when somebody wants the bench to stop: then it still deletes what it has made. */
function interruption() {
  const controller = new AbortController();
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.once(signal, () => controller.abort(new ScriptError(`stopped by ${signal}`)));
  }
  return controller.signal;
}
