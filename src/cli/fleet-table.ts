import type { FleetView, ImageView, NodeView } from "../fleet/warm/fleet-view.js";
import { printable } from "../host/byte-string.js";

export interface TableSize {
  /** Of the terminal. */
  readonly columns: number;
  readonly rows: number;
}

type Phase = NodeView["phase"];

const phaseNames: Readonly<Record<Phase, string>> = {
  toCome: "to come",
  queued: "queued",
  starting: "starting",
  retrying: "again soon",
  working: "at work",
  warm: "warm",
  staged: "staged",
  partial: "partly ready",
  failed: "FAILED",
};

/** Rows that matter most come first where not all nodes have room. */
const ranks: readonly (readonly Phase[])[] = [
  ["failed", "partial"],
  ["retrying"],
  ["working"],
  ["starting", "queued"],
];

/** In which order the phases are counted at the end. */
const counted: readonly Phase[] = [
  "warm",
  "staged",
  "partial",
  "failed",
  "working",
  "starting",
  "queued",
  "retrying",
  "toCome",
];

const narrowest = 8;
const widest = 20;
const gap = "  ";

/**
 * A table of nodes and images that fits a terminal. Where it has not room for all nodes, those with
 * trouble and those under way are shown, and all are counted.
 */
export function fleetTable(
  view: FleetView,
  { columns, rows, elapsedMs }: TableSize & { readonly elapsedMs: number },
): readonly string[] {
  const { images, nodes } = view;
  const what = `${plural(images.length, "image")} on ${plural(nodes.size, "node")}`;
  const title = `stage-rootfs: ${what}, ${clock(elapsedMs)}`;
  // The cursor needs a line of its own.
  const room = Math.max(0, rows - 4);
  const shown = nodesToShow(view, room);
  const nameWidth = Math.max(4, ...shown.map(({ node }) => node.length));
  const layout = columnsFor(images, { room: columns - nameWidth - gap.length });
  const head = ["NODE".padEnd(nameWidth), ...layout.head].join(gap);
  const body = shown.map((node) => `${node.node.padEnd(nameWidth)}${gap}${layout.row(node)}`);
  const table = shown.length === 0 ? [] : [head, ...body];
  const lines = [title, ...table, countLine(view)];
  return lines.map((line) => cut(printable(line).trimEnd(), columns));
}

function nodesToShow({ nodes }: FleetView, room: number): readonly NodeView[] {
  if (nodes.size <= room) return [...nodes.values()];
  const all = [...nodes.values()];
  const ranked = ranks.flatMap((phases) => all.filter(({ phase }) => phases.includes(phase)));
  return ranked.slice(0, room);
}

function countLine({ nodes }: FleetView): string {
  const counts = new Map<Phase, number>();
  for (const { phase } of nodes.values()) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  const parts = counted.flatMap((phase) => {
    const count = counts.get(phase);
    return count === undefined ? [] : [`${count} ${phaseNames[phase]}`];
  });
  return parts.join(", ");
}

interface Layout {
  readonly head: readonly string[];
  readonly row: (node: NodeView) => string;
}

/** A column for each image where they have room, else how many are ready and which is under way. */
function columnsFor(images: readonly string[], { room }: { readonly room: number }): Layout {
  const names = images.map((image) => cut(shortName(image), widest));
  const widths = names.map((name) => Math.max(narrowest, name.length));
  const width = widths.reduce((sum, each) => sum + each + gap.length, 0);
  if (width > room) return { head: ["READY", "IMAGE"], row: (node) => sumOf(node, images) };
  const pad = (texts: readonly string[]) => texts.map((text, i) => text.padEnd(widths[i] ?? 0));
  return {
    head: pad(names),
    row: (node) => {
      const cells = images.map((image) => cellText(node.images.get(image)));
      const trouble = node.trouble === undefined ? [] : [node.trouble];
      if (node.images.size === 0) return [phaseNames[node.phase], ...trouble].join(": ");
      return [...pad(cells), ...trouble].join(gap);
    },
  };
}

function sumOf(node: NodeView, images: readonly string[]): string {
  if (node.images.size === 0) {
    return [phaseNames[node.phase], ...(node.trouble === undefined ? [] : [node.trouble])].join(
      ": ",
    );
  }
  const all = [...node.images.values()];
  const ready = all.filter(({ state }) => state === "hit" || state === "staged").length;
  const current = all.find(({ state }) => /^(?:staging|waiting|retrying)$/.test(state));
  const now = current && `${shortName(current.image)} ${cellText(current)}`;
  const count = `${ready}/${images.length}`.padEnd("READY".length);
  return [count, ...[now, node.trouble].filter((text) => text !== undefined)].join(gap);
}

function cellText(image: ImageView | undefined): string {
  if (!image) return "-";
  switch (image.state) {
    case "hit":
      return "warm";
    case "staged":
      return "staged";
    case "failed":
      return "FAILED";
    case "skipped":
      return "left out";
    case "retrying":
      return "again";
    case "staging":
    case "waiting": {
      const doing = image.state === "staging" ? "staging" : "waiting";
      return image.layers ? `${image.layers.finished}/${image.layers.total}` : doing;
    }
  }
}

/** What tells images of a list apart, without host and directories. */
function shortName(image: string): string {
  return image.replace(/@(sha\d+:[0-9a-f]{8})[0-9a-f]*$/, "@$1").replace(/^.*\//, "") || image;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
