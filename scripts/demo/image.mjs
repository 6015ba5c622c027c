// @ts-check
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { WORK } from "../lib/paths.mjs";
import { writeDockerArchive } from "./archive.mjs";
import { DEMO_CONFIG, demoLayers } from "./layers.mjs";

/** Where the demo keeps its image and its cache. */
export const DEMO_DIRECTORY = join(WORK, "demo");

/**
 * Makes the demo image from files of this machine, without any network.
 * @returns {Promise<{ path: string, size: number, layers: number }>}
 */
export async function makeDemoImage() {
  mkdirSync(DEMO_DIRECTORY, { recursive: true });
  const path = join(DEMO_DIRECTORY, "image.tar");
  const layers = demoLayers();
  await writeDockerArchive(path, { tag: "stage-rootfs-demo:latest", config: DEMO_CONFIG, layers });
  return { path, size: statSync(path).size, layers: layers.length };
}
