import { defineConfig } from "vitest/config";

/** `npm run bench:fleet`: measures on a Slurm of four nodes, which takes root and Slurm's daemons. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    env: { STAGE_ROOTFS_ALLOW_DISK: "tmpfs" },
    include: ["bench/fleet/four-nodes.measure.ts"],
    globalSetup: ["test/e2e/support/setup.ts"],
    testTimeout: 900_000,
    hookTimeout: 300_000,
  },
});
