import { type LaunchOptions, type LaunchPlan, planLaunch } from "../../src/launch/plan.js";

/** The plan of a trivial command. */
export function somePlan(options: LaunchOptions = {}): LaunchPlan {
  const config = { env: [], entrypoint: null, cmd: ["true"], workingDir: null };
  return planLaunch({ rootfs: "/rootfs", config, mountPoints: [] }, options);
}
