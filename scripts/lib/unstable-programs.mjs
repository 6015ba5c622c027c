// @ts-check
/** Programs of Debian's unstable branch, each in a directory of its own. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { installFromUnstable } from "./debian-unstable.mjs";

/** @typedef {{ prefix: string, home?: string }} Place as for installFromUnstable */

/**
 * A bubblewrap that can mount overlays: `usr/bin/bwrap` below the prefix.
 * @param {Place} place
 */
export function installBubblewrap(place) {
  installFromUnstable({
    ...place,
    packages: ["bubblewrap", "libc6", "libcap2", "libselinux1", "libpcre2-8-0"],
    programs: ["usr/bin/bwrap"],
  });
}

/**
 * Apptainer: `usr/bin/apptainer` below the prefix.
 * @param {Place} place
 */
export function installApptainer(place) {
  installFromUnstable({
    ...place,
    packages: ["apptainer", "libc6", "libseccomp2", "libsqlite3-0"],
    programs: ["usr/bin/apptainer", "LIB/apptainer/bin/starter"],
  });
  const { prefix } = place;
  // It looks for its settings below the directories that its programs are in.
  const lib = join(prefix, "usr", "lib");
  for (const base of [join(prefix, "usr"), lib]) {
    cpSync(join(prefix, "etc", "apptainer"), join(base, "etc", "apptainer"), { recursive: true });
  }
  mkdirSync(join(lib, "var", "lib", "apptainer", "mnt", "session"), { recursive: true });
}
