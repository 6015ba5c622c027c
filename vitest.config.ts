import { defineConfig } from "vitest/config";

/** Tests write to memory where there is room: that is faster, and spares the disk. */
const env = { STAGE_ROOTFS_ALLOW_DISK: "tmpfs" };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          env,
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**", "test/fuzz/**"],
          // Some compile what threads load, or run programs, which takes its time on a busy machine.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "fuzz",
          env,
          include: ["test/fuzz/**/*.test.ts"],
          testTimeout: 600_000,
          // It changes its user and its directory, and limits the processor time of each input.
          pool: "forks",
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          env,
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/support/setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
