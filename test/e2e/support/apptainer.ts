import { afterAll } from "vitest";
import {
  type LaunchCommand,
  type LaunchOptions,
  type LaunchPlan,
  planLaunch,
  type StagedRootfs,
} from "../../../src/index.js";
import { accountOf } from "./account.js";
import { makePrivateDir, type PrivateDir } from "./cache-dir.js";
import type { RunOptions, RunResult } from "./cli.js";
import { debianImage, debianImageNeeds } from "./debian-image.js";
import { type Need, testNeeding } from "./programs.js";
import { stagedForLaunch } from "./staged.js";
import { unstableApptainer, unstableNeeds } from "./unstable-programs.js";
import type { UserKind } from "./users.js";

const apptainerNeeds: readonly Need[] = [
  ...debianImageNeeds,
  ...unstableNeeds,
  "unshare",
  "setpriv",
];

/** A test that uses {@link sandboxOf}. */
export const apptainerTest = testNeeding(apptainerNeeds);

/** What a user needs to start something in the Debian image with Apptainer. */
export interface Sandbox {
  readonly staged: StagedRootfs;
  readonly runtime: { readonly name: "apptainer"; readonly program: string };
  readonly home: string;
  readonly plan: (options: LaunchOptions) => LaunchPlan;
  readonly start: (command: LaunchCommand, options?: RunOptions) => Promise<RunResult>;
}

const caches = new Map<UserKind, PrivateDir>();
afterAll(async () => {
  for (const { remove } of caches.values()) await remove();
});

/** A cache of the user's: one for all tests of a file. */
export function commonCacheOf(kind: UserKind): string {
  const cache = caches.get(kind) ?? makePrivateDir(kind);
  caches.set(kind, cache);
  return cache.path;
}

/** A staged image, and the means to start something in it as a user. */
export async function sandboxOf(kind: UserKind): Promise<Sandbox> {
  const program = await unstableApptainer();
  const { forms } = await debianImage();
  const args = ["--cache-dir", commonCacheOf(kind), forms.dockerArchive];
  const staged = await stagedForLaunch(args, { as: kind });
  const { home, run } = accountOf(kind);
  return {
    staged,
    runtime: { name: "apptainer", program },
    home,
    plan: (options) => planLaunch(staged, options),
    start: ({ argv, env }, options) => {
      const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      return run(["env", "-i", ...assignments, ...argv], options);
    },
  };
}
