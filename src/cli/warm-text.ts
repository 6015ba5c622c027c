import type { ErrorReport } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { formatSize } from "../host/quantity.js";
import type { WarmEvent } from "../stage/warm/warm-event.js";

/** How much of a digest is shown, in characters. */
const shortDigest = 12;

/** The line on stdout that says that an image is ready; undefined for other events. */
export function readyLine(event: WarmEvent): string | undefined {
  if (event.type !== "image" || !("key" in event)) return undefined;
  const { state, key, unpackedSize, ms, image } = event;
  const cells = [
    state.padEnd(6),
    key.replace(/^sha256-/, "").slice(0, shortDigest),
    formatSize(unpackedSize).padStart(5),
    seconds(ms).padStart(7),
    printable(image),
  ];
  return cells.join("  ");
}

/** The line on stderr that says why an image is not ready; undefined for other events. */
export function failureLine(event: WarmEvent): string | undefined {
  if (event.type !== "image" || (event.state !== "failed" && event.state !== "skipped")) {
    return undefined;
  }
  const skipped = event.state === "skipped" ? "skipped: " : "";
  return `stage-rootfs: ${skipped}${errorText(event.image, event.error)}`;
}

/** A line for people that tells how far an image is; undefined for other events. */
export function progressLine(event: WarmEvent): string | undefined {
  if (event.type !== "image" || !("attempt" in event)) return undefined;
  const { image, state, attempt, layers, error } = event;
  const name = printable(image);
  if (error) return `stage-rootfs: ${errorText(image, error)}; it is tried again (${attempt})`;
  const far = layers ? `, ${layers.finished} of ${layers.total} layers are ready` : "";
  const who = state === "waiting" ? `another process is staging ${name}` : `staging ${name}`;
  return `stage-rootfs: ${who}${far}`;
}

/** The last line on stderr, where not all is ready; undefined for other events. */
export function summaryLine(event: WarmEvent): string | undefined {
  if (event.type !== "end" || event.failed + event.skipped === 0) return undefined;
  const { ready, failed, skipped } = event;
  const parts = [
    `${ready} of ${ready + failed + skipped} images are ready`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return `stage-rootfs: ${parts.join(", ")}`;
}

/** With the image's name first, where the message does not say it. */
function errorText(image: string, { message, hint }: ErrorReport): string {
  const named = message.includes(image) ? message : `${image}: ${message}`;
  return printable(hint === undefined ? named : `${named} (${hint})`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}s`;
}
