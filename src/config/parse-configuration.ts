import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { parseToml } from "../host/parse-toml.js";
import type { Share } from "../host/quantity.js";
import type { CacheSettings, Configuration, Target } from "./configuration.js";
import { lineOfKey } from "./line-of-key.js";
import { ConfigFault, Table, tableAt } from "./table.js";
import {
  absolutePath,
  absolutePaths,
  count,
  duration,
  executionTypes,
  flag,
  name,
  share,
  size,
} from "./value-types.js";

/**
 * Parses a configuration file.
 * @param file its path, for messages
 * @throws StageError CONFIG, with the line and, for a key that nobody knows, the nearest known one
 */
export function parseConfiguration(toml: string, file: string): Configuration {
  const outcome = parseToml(toml);
  if (outcome.kind === "fault") throw wrong(file, { ...outcome, hint: undefined });
  try {
    return { file, ...configurationOf(outcome.document) };
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    const { path, message: reason, hint } = error;
    throw wrong(file, { line: lineOfKey(toml, path), reason, hint });
  }
}

function wrong(
  file: string,
  fault: { line: number | undefined; reason: string; hint: string | undefined },
): StageError {
  const { line, reason, hint } = fault;
  const place = line === undefined ? file : `${file}:${line}`;
  return new StageError("CONFIG", printable(`${place}: ${reason}`), {
    hint: hint === undefined ? "mend the file, or name another one with --config" : printable(hint),
  });
}

function configurationOf(document: unknown): Omit<Configuration, "file"> {
  const top = new Table(document, { path: [], known: ["target", "cache", "targets"] });
  const targets = targetsOf(top);
  const usualTarget = top.get("target", name);
  if (usualTarget !== undefined && !targets.has(usualTarget)) {
    const hint = `its targets: ${[...targets.keys()].join(", ") || "none"}`;
    throw top.fault("target", `there is no [targets.${usualTarget}]`, hint);
  }
  return { cache: cacheOf(top), targets, usualTarget };
}

const cacheKeys = [
  "max_size",
  "min_free",
  "max_age",
  "keep_last",
  "high_watermark",
  "low_watermark",
  "auto_gc",
] as const;

function cacheOf(top: Table): CacheSettings {
  const table = top.table("cache", cacheKeys);
  const highWatermark = table.get("high_watermark", share);
  const lowWatermark = table.get("low_watermark", share);
  if (lowWatermark && !highWatermark) {
    throw table.fault("low_watermark", "low_watermark means nothing without high_watermark");
  }
  if (highWatermark && lowWatermark && isLess(highWatermark, lowWatermark)) {
    throw table.fault("low_watermark", "low_watermark is above high_watermark");
  }
  return {
    maxSize: table.get("max_size", size),
    minFree: table.get("min_free", share),
    maxAge: table.get("max_age", duration),
    keepLast: table.get("keep_last", count),
    highWatermark,
    lowWatermark,
    autoGc: table.get("auto_gc", flag),
  };
}

/** Of two of a kind; which of two others is less, only a disk tells. */
function isLess(a: Share, b: Share): boolean {
  if ("bytes" in a) return "bytes" in b && a.bytes < b.bytes;
  return "percent" in b && a.percent < b.percent;
}

const targetKeys = [
  "node_local_path",
  "base_path",
  "mount_host_paths",
  "mount_paths",
  "local",
  "slurm",
] as const;

function targetsOf(top: Table): ReadonlyMap<string, Target> {
  if (!top.has("targets")) return new Map();
  const names = Object.keys(top.get("targets", anyTable) ?? {});
  const targets = top.table("targets", names);
  return new Map(names.map((target) => [target, targetOf(targets, target)]));
}

const anyTable = {
  expected: "a table: [targets.NAME]",
  read: (value: unknown) => tableAt(value, ["targets"]),
};

function targetOf(targets: Table, target: string): Target {
  const table = targets.table(target, targetKeys);
  const all = table.get("mount_host_paths", flag) ?? false;
  const paths = table.get("mount_paths", absolutePaths) ?? [];
  const typesOf = (key: "local" | "slurm") =>
    table.table(key, ["execution_types"]).get("execution_types", executionTypes);
  return {
    name: target,
    nodeLocalPath: table.get("node_local_path", absolutePath),
    basePath: table.get("base_path", absolutePath),
    hostPaths: all || paths.length > 0 ? { all, paths } : undefined,
    localTypes: typesOf("local"),
    slurmTypes: typesOf("slurm"),
  };
}
