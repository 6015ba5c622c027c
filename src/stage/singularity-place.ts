import { dirname, join } from "node:path";

/**
 * Which files for Apptainer an entry has. One that has others, or none, gets these when it is asked
 * for the next time.
 */
export const singularityVersion = 1;

/** The directory that a sandbox of Apptainer's is to see as `/.singularity.d`, beside the rootfs. */
export function singularityDirectory(rootfs: string): string {
  return join(dirname(rootfs), "singularity.d");
}
