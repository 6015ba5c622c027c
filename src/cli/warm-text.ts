import type { ErrorReport } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { formatSize } from "../host/quantity.js";
import type { WarmEvent } from "../stage/warm/warm-event.js";

type ProgressEvent = Extract<WarmEvent, { readonly attempt: number }>;
type FailureEvent = Extract<WarmEvent, { readonly state: "failed" | "skipped" }>;

/** How much of a digest is shown, in characters. */
const shortDigest = 12;

/** The line on stdout that says that an image is ready; undefined for other events. */
export function readyLine(event: WarmEvent): string | undefined {
  if (event.type !== "image" || !("key" in event)) return undefined;
  const { state, key, unpackedSize, ms, image } = event;
  const cells = [
    state.padEnd("staged".length),
    key.replace(/^sha256-/, "").slice(0, shortDigest),
    formatSize(unpackedSize).padStart(5),
    seconds(ms).padStart(7),
    printable(image),
  ];
  return cells.join("  ");
}

export interface NarratorOptions {
  /** Whether somebody looks on, and wants to know how far each image is. */
  readonly progress: boolean;
  /** Whether only errors are to be told. */
  readonly quiet: boolean;
}

/** Says what is to be said of an event on stderr, if anything is. */
export function warmNarrator({
  progress,
  quiet,
}: NarratorOptions): (event: WarmEvent) => string | undefined {
  const hints = new Set<string>();
  /** What fails for all images is explained once. */
  const explained = ({ code, message, hint }: ErrorReport) => {
    if (hint === undefined || hints.has(hint)) return { code, message };
    hints.add(hint);
    return { code, message, hint };
  };
  return (event) => {
    if (event.type === "end") return quiet ? undefined : summary(event);
    if (event.type === "node" || "key" in event) return undefined;
    if (!("attempt" in event)) return failure({ ...event, error: explained(event.error) });
    if (quiet || !(progress || event.state === "retrying")) return undefined;
    return progressText(event);
  };
}

function failure({ image, state, error }: FailureEvent): string {
  const skipped = state === "skipped" ? "skipped: " : "";
  return `stage-rootfs: ${skipped}${errorText(image, error)}`;
}

function progressText({ image, state, attempt, layers, error }: ProgressEvent): string {
  const name = printable(image);
  if (error) return `stage-rootfs: ${errorText(image, error)}; try ${attempt} follows`;
  const far = layers ? `, ${layers.finished} of ${layers.total} layers are ready` : "";
  const who = state === "waiting" ? `another process is staging ${name}` : `staging ${name}`;
  return `stage-rootfs: ${who}${far}`;
}

function summary({ ready, failed, skipped }: Extract<WarmEvent, { readonly type: "end" }>) {
  if (failed + skipped === 0) return undefined;
  const parts = [
    `${ready} of ${ready + failed + skipped} images are ready`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return `stage-rootfs: ${parts.join(", ")}`;
}

/** With the image's name first, where the message does not say it. */
function errorText(image: string, { message, hint }: ErrorReport): string {
  // Messages have it as it can be printed.
  const named = message.includes(printable(image)) ? message : `${image}: ${message}`;
  return printable(hint === undefined ? named : `${named} (${hint})`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}s`;
}
