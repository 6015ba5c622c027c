import type { BigIntStats } from "node:fs";
import { displayPath } from "../../host/byte-string.js";
import { microseconds } from "../../host/file-time.js";
import type { ListedNode } from "../listing/listed-node.js";
import type { FindingCode } from "./finding.js";

export type Difference = readonly [code: FindingCode, message: string];

/** Kinds of files, as messages call them. */
const kinds = { directory: "a directory", file: "a file", symlink: "a symbolic link" } as const;

/** What stands somewhere, as messages call it. */
function kindOf(stat: BigIntStats): string {
  if (stat.isDirectory()) return kinds.directory;
  if (stat.isFile()) return kinds.file;
  return stat.isSymbolicLink() ? kinds.symlink : "a special file";
}

/**
 * How a file on disk differs from what is listed, but for its content.
 * @param target where it leads, of a symlink
 */
export function compareMetadata(
  node: ListedNode,
  { stat, target }: { stat: BigIntStats; target: () => string },
): readonly Difference[] {
  const kind = kindOf(stat);
  if (kind !== kinds[node.kind]) return [["KIND", `is ${kind}, not ${kinds[node.kind]}`]];
  const found: Difference[] = [];
  if (node.kind === "file" && stat.size !== BigInt(node.size)) {
    found.push(["CONTENT", `has ${stat.size} bytes, not ${node.size}`]);
  }
  const leadsTo = node.kind === "symlink" ? target() : "";
  if (node.kind === "symlink" && leadsTo !== node.target) {
    found.push(["TARGET", `leads to ${displayPath(leadsTo)}, not ${displayPath(node.target)}`]);
  }
  const mode = Number(stat.mode & 0o7777n);
  if (node.kind !== "symlink" && mode !== node.mode) {
    found.push(["MODE", `mode is ${octal(mode)}, not ${octal(node.mode)}`]);
  }
  if (stat.uid !== BigInt(node.uid) || stat.gid !== BigInt(node.gid)) {
    const owner = `${stat.uid}:${stat.gid}`;
    found.push(["OWNER", `belongs to ${owner}, not ${node.uid}:${node.gid}`]);
  }
  if (!isTime(stat.mtimeNs, node.mtime)) {
    const changed = new Date(Number(stat.mtimeNs / 1_000_000n)).toISOString();
    found.push(["TIME", `was changed at ${changed}`]);
  }
  return found;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Every file system that is used for this can hold times between these; in seconds. */
const earliest = 0;
const latest = 2 ** 31 - 1;

/** Whether a file has the time that it was given. Some disks hold whole seconds only. */
function isTime(nanoseconds: bigint, seconds: number): boolean {
  if (seconds < earliest || seconds > latest) return true;
  const wanted = BigInt(microseconds(seconds));
  return nanoseconds / 1000n === wanted || nanoseconds === (wanted / 1_000_000n) * 1_000_000_000n;
}
