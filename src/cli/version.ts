import { readFileSync } from "node:fs";
import { isRecord } from "../host/read-json.js";

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const description: unknown = JSON.parse(text);
  const stated = isRecord(description) ? description["version"] : undefined;
  return typeof stated === "string" ? stated : "unknown";
}
