import type { ErrorReport } from "../errors.js";
import { compressNodeList } from "../fleet/node-list.js";
import type {
  FleetEvent,
  FleetFailure,
  FleetReport,
  NodeResult,
} from "../fleet/warm/fleet-event.js";
import { printable } from "../host/byte-string.js";
import { plural } from "./fleet-table.js";

/** More failures than this are counted only. */
const mostFailures = 20;

/** A line for a log that tells of a node; undefined for what is not worth one. */
export function nodeLine(event: FleetEvent): string | undefined {
  switch (event.type) {
    case "result":
      return `stage-rootfs: ${printable(event.node)}: ${resultText(event)}`;
    case "step":
      if (event.state === "queued") {
        return `stage-rootfs: ${printable(event.node)} has no room yet; its job waits`;
      }
      if (!event.error) return undefined;
      return `stage-rootfs: ${printable(event.node)}: ${errorText(event.error)}; it is tried again`;
    case "log":
      return `stage-rootfs: ${printable(event.node)} says: ${event.text}`;
    case "shared":
      return sharedText(event);
    default:
      return undefined;
  }
}

function resultText({ outcome, ready, failed, skipped, ms, error }: NodeResult): string {
  const time = `${(ms / 1000).toFixed(1)} s`;
  if (error) return errorText(error);
  const all = plural(ready + failed + skipped, "image");
  if (outcome === "warm") return `warm, ${plural(ready, "image")}, ${time}`;
  if (outcome === "staged") return `staged, ${plural(ready, "image")}, ${time}`;
  return `${ready} of ${all} ready, ${time}`;
}

/** The result: which nodes ended in which way, a line each. */
export function resultLines({ nodes }: FleetReport): readonly string[] {
  return (["warm", "staged", "partial", "failed"] as const).flatMap((outcome) => {
    const names = nodes.filter((each) => each.outcome === outcome).map(({ node }) => node);
    return names.length === 0 ? [] : [`${outcome.padEnd(7)}  ${compressNodeList(names)}`];
  });
}

/** What went wrong, grouped: a line for what is the same on many nodes. */
export function troubleLines({ failures, leftOut, shared }: FleetReport): readonly string[] {
  const all = [
    ...leftOut.map((each) => `left out: ${failureText(each)}`),
    ...failures.slice(0, mostFailures).map(failureText),
    ...shared.map((each) => `warning: ${sharedWords(each)}`),
  ];
  const more = failures.length - mostFailures;
  if (more > 0) all.push(`there are ${plural(more, "further failure")}: --json tells all`);
  return all.map((line) => `stage-rootfs: ${line}`);
}

function failureText({ image, error, nodes }: FleetFailure): string {
  const isNamed = image === null || error.message.includes(printable(image));
  const what = isNamed ? "" : `${printable(image)}: `;
  return `${compressNodeList(nodes)}: ${what}${errorText(error)}`;
}

function errorText({ message, hint }: ErrorReport): string {
  return printable(hint === undefined ? message : `${message} (${hint})`);
}

interface Shared {
  readonly nodes: readonly string[];
  readonly cacheDirectory: string;
}

/** As soon as it is known; at the end all of them are named. */
function sharedText({ nodes, cacheDirectory }: Shared): string {
  const names = compressNodeList(nodes);
  return printable(`stage-rootfs: warning: ${names} have one and the same ${cacheDirectory}`);
}

function sharedWords({ nodes, cacheDirectory }: Shared): string {
  const names = compressNodeList(nodes);
  return printable(
    `${names} have one and the same ${cacheDirectory} (give each a disk of its own with --cache-dir; shared, every node waits for the others, and jobs read images over the network)`,
  );
}

/** The last line of `--json`. */
export function summaryEvent(report: FleetReport): Readonly<Record<string, unknown>> {
  const { nodes, failures, leftOut, shared, exitStatus, ms } = report;
  const count = (outcome: NodeResult["outcome"]) => {
    return nodes.filter((each) => each.outcome === outcome).length;
  };
  const listed = <Each extends { readonly nodes: readonly string[] }>(each: Each) => {
    return { ...each, nodes: compressNodeList(each.nodes) };
  };
  return {
    type: "summary",
    schemaVersion: 1,
    nodes: {
      total: nodes.length,
      warm: count("warm"),
      staged: count("staged"),
      partial: count("partial"),
      failed: count("failed"),
    },
    failures: failures.map(listed),
    leftOut: leftOut.map(listed),
    shared: shared.map(listed),
    exitStatus,
    ms,
  };
}
