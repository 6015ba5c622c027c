import { isAbsolute } from "node:path";
import { parseDuration, parseShare, parseSize, type Share } from "../host/quantity.js";
import type { ValueType } from "./table.js";

function counted(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** In bytes. */
export const size: ValueType<number> = {
  expected: 'a number of bytes, or a size such as "200G"',
  read: (value) => (typeof value === "string" ? parseSize(value) : counted(value)),
};

export const share: ValueType<Share> = {
  expected: 'a size such as "200G", or a part of the disk such as "10%"',
  read: (value) => {
    if (typeof value === "string") return parseShare(value);
    const bytes = counted(value);
    return bytes === undefined ? undefined : { bytes };
  },
};

/** In seconds. */
export const duration: ValueType<number> = {
  expected: 'a number of seconds, or a time span such as "30d" or "12h"',
  read: (value) => (typeof value === "string" ? parseDuration(value) : counted(value)),
};

export const count: ValueType<number> = { expected: "a whole number", read: counted };

export const flag: ValueType<boolean> = {
  expected: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
};

export const name: ValueType<string> = {
  expected: "a name in quotes",
  read: (value) => (typeof value === "string" && value !== "" ? value : undefined),
};

export const absolutePath: ValueType<string> = {
  expected: "an absolute path in quotes",
  read: (value) => (isPath(value) ? value : undefined),
};

export const absolutePaths: ValueType<readonly string[]> = {
  expected: "a list of absolute paths in quotes",
  read: (value) => (Array.isArray(value) && value.every(isPath) ? value : undefined),
};

const runtimes = ["bwrap", "apptainer", "podman", "docker", "native"] as const;

/** A runtime, as RepX names it. */
export type ExecutionType = (typeof runtimes)[number];

export const executionTypes: ValueType<readonly ExecutionType[]> = {
  expected: `a list of ${runtimes.map((word) => `"${word}"`).join(", ")}`,
  read: (value) => (Array.isArray(value) && value.every(isExecutionType) ? value : undefined),
};

function isExecutionType(value: unknown): value is ExecutionType {
  return runtimes.some((word) => word === value);
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && isAbsolute(value) && !value.includes("\0");
}
