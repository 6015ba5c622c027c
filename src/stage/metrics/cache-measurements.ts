import { existsSync } from "node:fs";
import { CacheLayout } from "../../cache/layout.js";
import { takeInventory, totalOf } from "../gc/gc-inventory.js";
import { type SettingsOptions, settingsOf } from "../settings.js";
import { type Measurement, sizeMeasurements } from "./measurement.js";

/**
 * What a cache takes, by its records: no trees are walked, but all records are read.
 * @throws StageError CONFIG; errors of the file system
 */
export function cacheMeasurements(options: SettingsOptions): readonly Measurement[] {
  const layout = new CacheLayout(settingsOf(options).cacheDirectory);
  if (!existsSync(layout.root)) return sizeMeasurements({ bytes: 0, entries: 0 });
  const look = { now: Date.now(), minAge: 0, keysInUse: new Set<string>() };
  const inventory = takeInventory(layout, look);
  return sizeMeasurements({ bytes: totalOf(inventory).bytes, entries: inventory.entries.length });
}
