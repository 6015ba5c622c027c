// @ts-check
import { closeSync, openSync, readSync } from "node:fs";

/**
 * Reads an image's files once, so that no measured run has to wait for the disk.
 * @param {import("../images/store.mjs").Image} image
 */
export function bringIntoMemory({ layers, flat }) {
  const block = Buffer.allocUnsafe(1024 * 1024);
  for (const path of [...layers.map((layer) => layer.path), ...(flat === null ? [] : [flat])]) {
    const fd = openSync(path, "r");
    while (readSync(fd, block) > 0);
    closeSync(fd);
  }
}
