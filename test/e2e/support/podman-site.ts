import { freshCacheDir, makePrivateDir } from "./cache-dir.js";
import { type RunOptions, type RunResult, runArgv, stageRootfsArgv } from "./cli.js";
import { debianImage, debianImageNeeds } from "./debian-image.js";
import { becoming, inUnifiedControlGroups, makePodmanHome } from "./podman-home.js";
import type { Need } from "./programs.js";
import { stage } from "./staged.js";
import type { UserKind } from "./users.js";

/** What a test that uses {@link makePodmanSite} needs. */
export const podmanSiteNeeds: readonly Need[] = [
  ...debianImageNeeds,
  "podman",
  "crun",
  "catatonit",
  "setpriv",
];

/** A user's cache with the Debian image in it, and a podman of its own. */
export interface PodmanSite {
  readonly rootfs: string;
  /** Runs a script in the sandbox. */
  readonly run: (
    script: string,
    options?: readonly string[],
    how?: RunOptions,
  ) => Promise<RunResult>;
  /** The same, with the control groups that this machine has, and a cache that knows of no others. */
  readonly runHere: (script: string, options?: readonly string[]) => Promise<RunResult>;
  /** Prints the command, for a shell to run. */
  readonly printed: (words: readonly string[], options?: readonly string[]) => Promise<RunResult>;
  /** Runs any command as the user, where podman works. */
  readonly start: (argv: readonly string[], options?: RunOptions) => Promise<RunResult>;
  readonly remove: () => Promise<void>;
}

export async function makePodmanSite(kind: UserKind): Promise<PodmanSite> {
  const image = (await debianImage()).forms.dockerArchive;
  const cache = makePrivateDir(kind);
  const { env, remove } = makePodmanHome(kind);
  const { rootfs } = await stage(["--cache-dir", cache.path, image], { as: kind });
  const argvIn = (cacheDir: string, [command = "", ...rest]: readonly string[]) =>
    stageRootfsArgv([command, "-q", "--cache-dir", cacheDir, "--podman", ...rest]);
  const argvOf = (command: string, options: readonly string[], words: readonly string[]) =>
    argvIn(cache.path, [command, ...options, image, "--", ...words]);
  const start: PodmanSite["start"] = (argv, options = {}) =>
    runArgv(inUnifiedControlGroups(becoming(kind, argv)), { ...options, as: "root", env });
  const shell = (script: string) => ["/bin/sh", "-c", script];
  return {
    rootfs,
    run: (script, options = [], how = {}) => start(argvOf("run", options, shell(script)), how),
    runHere: (script, options = []) =>
      runArgv(argvIn(freshCacheDir(kind), ["run", ...options, image, "--", ...shell(script)]), {
        as: kind,
        env,
      }),
    printed: (words, options = []) => start(argvOf("command", options, words)),
    start,
    remove: async () => {
      remove();
      await cache.remove();
    },
  };
}
