// @ts-check
import { large, small, system, systemZstd } from "./cold.mjs";
import { crowd } from "./crowd.mjs";
import { scaleEntries, scaleLayers } from "./scale.mjs";
import { secondImage } from "./second-image.mjs";
import { warm } from "./warm.mjs";

/** @type {readonly import("./part.mjs").Part[]} in the order in which they are measured and shown */
export const PARTS = [
  system,
  systemZstd,
  large,
  small,
  warm,
  secondImage,
  crowd,
  scaleEntries,
  scaleLayers,
];
