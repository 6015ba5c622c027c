import { join } from "node:path";
import { homeDirectory } from "./auth-file-paths.js";

/** Where podman, skopeo and docker keep what they know about registries. */
export interface ContainersPlaces {
  /** The user's own, `~/.config/containers`. */
  readonly user: string;
  /** The machine's, `/etc/containers`. */
  readonly system: string;
  /** Docker's, `/etc/docker`. */
  readonly docker: string;
  /** What podman wrote down for itself, `~/.cache/containers`; root's is `/var/cache/containers`. */
  readonly cache: string;
}

/** The places as `environment` has them (`XDG_CONFIG_HOME`, `XDG_CACHE_HOME`, `HOME`). */
export function containersPlaces(environment: NodeJS.ProcessEnv): ContainersPlaces {
  // Who has no home has no files of their own there.
  const home = homeDirectory(environment) ?? "/nonexistent";
  const config = environment["XDG_CONFIG_HOME"] || join(home, ".config");
  const cache = environment["XDG_CACHE_HOME"] || join(home, ".cache");
  return {
    user: join(config, "containers"),
    system: "/etc/containers",
    docker: "/etc/docker",
    cache: join(process.geteuid?.() === 0 ? "/var/cache" : cache, "containers"),
  };
}
