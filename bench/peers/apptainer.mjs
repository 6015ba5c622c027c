// @ts-check
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { which } from "../../scripts/lib/run.mjs";
import { APPTAINER_PREFIX } from "./apptainer-prefix.mjs";
import { versionOf } from "./peer.mjs";

/** @type {import("./peer.mjs").PeerKind} */
export const apptainer = {
  id: "apptainer",
  label: "apptainer build --sandbox",
  reads: ["gzip"],
  find: () => {
    const inPrefix = join(APPTAINER_PREFIX, "usr", "bin", "apptainer");
    const program = which("apptainer") ?? (existsSync(inPrefix) ? inPrefix : undefined);
    if (program === undefined) {
      return "apptainer is not installed";
    }
    return {
      id: "apptainer",
      label: "apptainer build --sandbox",
      version: versionOf([program, "--version"]),
      does: "checks blob digests and diffIDs; leaves a sandbox with its own files added",
      prepare: (directory) => {
        mkdirSync(join(directory, "tmp"));
      },
      unpack: ({ layout }, directory) => ({
        argv: [
          program,
          "build",
          "--sandbox",
          "--disable-cache",
          join(directory, "sandbox"),
          `oci:${layout}`,
        ],
        env: {
          APPTAINER_TMPDIR: join(directory, "tmp"),
          APPTAINER_CACHEDIR: join(directory, "cache"),
        },
      }),
    };
  },
};
