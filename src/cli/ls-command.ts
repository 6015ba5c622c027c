import { printable } from "../host/byte-string.js";
import { listCache } from "../stage/manage/list-cache.js";
import { listingText } from "./ls-text.js";
import type { CommandLine } from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** Width of the table where the output is no terminal, in characters. */
const usualWidth = 80;

/** `stage-rootfs ls [IMAGE|KEY...]`: what the cache holds, as a table or as JSON. */
export async function lsCommand({ values, words }: CommandLine): Promise<number> {
  leaveDeletedDirectory([...words, ...pathOptions(values)]);
  const listing = listCache({ ...settingsOptions(values), images: words });
  if (values.json) {
    await writeResult(`${JSON.stringify(listing)}\n`);
    return 0;
  }
  const { cache, exists, entries } = listing;
  if (entries.length === 0 && !values.quiet) {
    const where = printable(cache);
    writeMessage(exists ? `no images in the cache ${where}` : `there is no cache ${where}`);
  }
  const width = process.stdout.columns ?? usualWidth;
  await writeResult(
    listingText(listing, { now: Date.now(), width, leases: values.leases ?? false }),
  );
  return 0;
}
