import * as v from "valibot";
import { type ErrorReport, isErrorCode } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import type { WarmEvent } from "../../stage/warm/warm-event.js";

/** Lines longer than this are no events. */
const longest = 1 << 20;

const text = v.pipe(v.string(), v.transform(printable));
const count = v.pipe(v.number(), v.finite(), v.minValue(0));

const errorReport: v.GenericSchema<unknown, ErrorReport> = v.pipe(
  v.object({ code: v.string(), message: text, hint: v.optional(text) }),
  v.transform(({ code, message, hint }) => ({
    code: isErrorCode(code) ? code : "INTERNAL",
    message,
    ...(hint === undefined ? {} : { hint }),
  })),
);

const image = { type: v.literal("image"), node: text, image: v.string() };

const warmEvent: v.GenericSchema<unknown, WarmEvent> = v.union([
  v.object({
    type: v.literal("node"),
    node: text,
    cacheDirectory: text,
    sharedWith: v.array(text),
  }),
  v.object({
    ...image,
    state: v.picklist(["staging", "waiting", "retrying"]),
    attempt: count,
    layers: v.nullable(v.object({ finished: count, total: count })),
    error: v.nullable(errorReport),
  }),
  v.object({
    ...image,
    state: v.picklist(["hit", "staged"]),
    key: text,
    rootfs: text,
    unpackedSize: count,
    fetched: count,
    ms: count,
  }),
  v.object({ ...image, state: v.picklist(["failed", "skipped"]), error: errorReport }),
  v.object({
    type: v.literal("end"),
    node: text,
    ready: count,
    failed: count,
    skipped: count,
    ms: count,
  }),
]);

/** What a line says that a node printed; undefined where it is no event. */
export function parseWarmEvent(line: string): WarmEvent | undefined {
  const result = v.safeParse(warmEvent, parseObject(line), { abortEarly: true });
  return result.success ? result.output : undefined;
}

/** The error that a line says, as `--json` has it on stderr; undefined where it is none. */
export function parseErrorLine(line: string): ErrorReport | undefined {
  const result = v.safeParse(v.object({ error: errorReport }), parseObject(line));
  return result.success ? result.output.error : undefined;
}

function parseObject(line: string): unknown {
  if (!line.startsWith("{") || line.length > longest) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
