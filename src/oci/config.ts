import { posix } from "node:path";
import * as v from "valibot";
import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type Digest, digestOf } from "./digest.js";
import { digestSchema, parseDocument } from "./document.js";
import type { Platform } from "./platform.js";

/** How the image wants to be run (image-spec, config.md, the property `config`). */
export interface RuntimeConfig {
  readonly user: string | null;
  /** `NAME=VALUE`, in order. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[] | null;
  readonly cmd: readonly string[] | null;
  /** Absolute, without `.` and `..`. */
  readonly workingDir: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly stopSignal: string | null;
}

export interface ImageConfig {
  /** The digest of the config document: the image ID. */
  readonly imageId: Digest;
  readonly platform: Platform;
  /** What each layer is when unpacked; the base layer first. */
  readonly diffIds: readonly Digest[];
  readonly runtime: RuntimeConfig;
}

/** What ends up in an argv, an environment or a path can't hold a NUL byte. */
const word = v.pipe(
  v.string(),
  v.check((text) => !text.includes("\0"), "a NUL byte"),
);
const words = v.nullish(
  v.union([
    v.array(word),
    v.pipe(
      word,
      v.transform((only) => [only]),
    ),
  ]),
);
const name = v.nullish(word);
const keys = v.nullish(v.record(word, v.unknown()));

const runtimeSchema = v.object({
  User: name,
  Env: v.nullish(v.array(word)),
  Entrypoint: words,
  Cmd: words,
  WorkingDir: name,
  Labels: v.nullish(v.record(v.string(), v.string())),
  Volumes: keys,
  ExposedPorts: keys,
  StopSignal: name,
});

const configSchema = v.object({
  os: v.nullish(v.string(), "linux"),
  architecture: v.nullish(v.string(), ""),
  variant: v.nullish(v.string()),
  config: v.nullish(runtimeSchema),
  rootfs: v.object({
    type: v.literal("layers"),
    diff_ids: v.nullish(v.array(digestSchema)),
  }),
});

/**
 * Parses an image's config document (image-spec, config.md; Docker's is the same but for nulls).
 * @throws StageError IMAGE_INVALID, IMAGE_UNSUPPORTED
 */
export function parseConfig(bytes: Buffer, what: string): ImageConfig {
  const parsed = parseDocument(bytes, { schema: configSchema, what });
  if (parsed.os !== "linux") {
    const os = printable(parsed.os);
    throw new StageError("IMAGE_UNSUPPORTED", `${what}: an image for ${os}, not for linux`);
  }
  return {
    imageId: digestOf(bytes),
    platform: {
      os: parsed.os,
      architecture: parsed.architecture,
      variant: parsed.variant ?? undefined,
    },
    diffIds: parsed.rootfs.diff_ids ?? [],
    runtime: runtimeOf(parsed.config ?? {}),
  };
}

function runtimeOf(config: v.InferOutput<typeof runtimeSchema>): RuntimeConfig {
  return {
    user: config.User || null,
    env: config.Env ?? [],
    entrypoint: config.Entrypoint ?? null,
    cmd: config.Cmd ?? null,
    workingDir: config.WorkingDir ? normalizeWorkingDir(config.WorkingDir) : null,
    labels: config.Labels ?? {},
    volumes: Object.keys(config.Volumes ?? {}),
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    stopSignal: config.StopSignal || null,
  };
}

/** Some builders leave the leading slash out; `..` must not lead anywhere. */
function normalizeWorkingDir(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}
