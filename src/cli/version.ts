import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isRecord } from "../host/read-json.js";

/** The version of this package. */
export function version(): string {
  const path = createRequire(import.meta.url).resolve("stage-rootfs/package.json");
  const text = readFileSync(path, "utf8");
  const description: unknown = JSON.parse(text);
  const stated = isRecord(description) ? description["version"] : undefined;
  return typeof stated === "string" ? stated : "unknown";
}
