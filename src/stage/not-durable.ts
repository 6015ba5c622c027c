import type { Warning } from "../extract/layer-record.js";

function warning(message: string): Warning {
  return { code: "NOT_DURABLE", message, count: 1, examples: [] };
}

/** What to say where the disk did not get an image in time. */
export const notDurable: Readonly<Record<"late" | "unavailable", Warning>> = {
  late: warning(
    "the disk was too busy to write the image within 30 s: unless a later staging makes up for " +
      "it, the image is staged again after the next boot",
  ),
  unavailable: warning(
    "there is no program sync that knows -f (coreutils, busybox), so the image is staged again " +
      "after the next boot; --no-fsync leaves this warning out",
  ),
};
