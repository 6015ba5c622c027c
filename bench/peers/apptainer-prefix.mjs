// @ts-check
/** Apptainer on a Debian that has no package of it: the one of Debian's unstable branch. */
import { join } from "node:path";
import { WORK } from "../../scripts/lib/paths.mjs";
import { say } from "../../scripts/lib/say.mjs";
import { installApptainer } from "../../scripts/lib/unstable-programs.mjs";

export const APPTAINER_PREFIX = join(WORK, "bench", "apptainer");

/** Downloads and unpacks it. Needs apt and patchelf, but neither root nor a change to the system. */
export function installApptainerPrefix() {
  say(`Unpacking Apptainer from Debian's unstable branch into ${APPTAINER_PREFIX} …`);
  installApptainer({ prefix: APPTAINER_PREFIX });
}
