import type { Usage } from "../cache/removal/disk-usage.js";
import { printable } from "../host/byte-string.js";
import { formatSize } from "../host/quantity.js";
import { type CacheMeasure, measureCache } from "../stage/manage/measure-cache.js";
import { interruptible } from "./interruption.js";
import { shortKeys } from "./ls-text.js";
import type { CommandLine } from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs du`: what the cache takes on disk, as a table or as JSON. */
export async function duCommand({ values }: CommandLine): Promise<number> {
  leaveDeletedDirectory(pathOptions(values));
  const options = settingsOptions(values);
  const measure = await interruptible((signal) => measureCache({ ...options, signal }));
  if (!values.json && !measure.exists && !values.quiet) {
    writeMessage(`there is no cache ${printable(measure.cache)}`);
  }
  await writeResult(values.json ? `${JSON.stringify(measure)}\n` : usageText(measure));
  return 0;
}

function usageText(measure: CacheMeasure): string {
  if (!measure.exists) return "";
  const { entries, unreadable } = measure;
  const keys = shortKeys(entries.map(({ key }) => key));
  const rows = [
    ["OWN", "FILES", "SHARED", "FILES", "WHAT"],
    ...entries.map(({ own, shared }, i) => [...cells(own), ...cells(shared), keys[i] ?? ""]),
    ...others(measure).map(([what, usage]) => [...cells(usage), "", "", what]),
  ];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const lines = rows.map((row) => {
    return row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("  ");
  });
  if (unreadable > 0) lines.push(`${unreadable} directories could not be looked into`);
  return `${lines.join("\n")}\n`;
}

function others(measure: CacheMeasure): readonly (readonly [string, Usage])[] {
  return [
    ["layers, what no image shows of them", measure.layers],
    ["layers that no image needs", measure.unneededLayers],
    ["work under way, or left", measure.tmp],
    ["blobs", measure.blobs],
    ["records, locks and leases", measure.rest],
    ["total", measure.total],
  ];
}

function cells({ bytes, inodes }: Usage): readonly [string, string] {
  return [formatSize(bytes), String(inodes)];
}
