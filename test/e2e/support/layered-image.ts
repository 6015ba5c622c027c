import { writeFileSync } from "node:fs";
import { directory, file, hardLink, symlink, whiteout } from "../../support/layers.js";
import { dockerArchive } from "../../support/staged-archive.js";

/** Layers of a few files of each kind, the upper ones changing what the lower ones have. */
export const layerCount = 4;

/** Writes a docker-archive that takes little time to stage. @returns its path */
export function layeredImage(path: string): string {
  const layers = Array.from({ length: layerCount }, (_, i) => [
    directory("etc"),
    file("etc/release", `layer ${i}\n`),
    ...(i > 0 ? [whiteout(`opt/${i - 1}/gone`)] : []),
    directory(`opt/${i}`),
    file(`opt/${i}/gone`),
    file(`opt/${i}/large`, Buffer.alloc(100_000, `content of ${i} `)),
    file(`opt/${i}/program`, "#!/bin/sh\n", { mode: 0o755 }),
    hardLink(`opt/${i}/alias`, `opt/${i}/program`),
    symlink(`opt/${i}/link`, "../../etc/release"),
    ...Array.from({ length: 8 }, (_, j) => file(`opt/${i}/small-${j}`)),
  ]);
  writeFileSync(path, dockerArchive(layers));
  return path;
}
