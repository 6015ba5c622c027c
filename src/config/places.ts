import { join, resolve } from "node:path";

/** A file that may hold the configuration. */
export interface ConfigPlace {
  readonly path: string;
  /** What names it, where a user did: such a file must exist. */
  readonly namedBy: "--config" | "$STAGE_ROOTFS_CONFIG" | undefined;
  /** Whether it is below a home directory, which may be another user's after `su`. */
  readonly isInHome: boolean;
}

export interface PlaceInputs {
  /** The user's `--config`. */
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The machine's configuration. */
export const systemConfig = "/etc/stage-rootfs/config.toml";

/** Where to look for the configuration: the first file that is there is the only one that counts. */
export function configPlaces({ option, env }: PlaceInputs): readonly ConfigPlace[] {
  if (option) return [{ path: resolve(option), namedBy: "--config", isInHome: false }];
  const named = env["STAGE_ROOTFS_CONFIG"];
  if (named) return [{ path: resolve(named), namedBy: "$STAGE_ROOTFS_CONFIG", isInHome: false }];
  const home = env["HOME"];
  const directory = env["XDG_CONFIG_HOME"] || (home ? join(home, ".config") : undefined);
  const system = { path: systemConfig, namedBy: undefined, isInHome: false };
  if (directory === undefined) return [system];
  const path = join(directory, "stage-rootfs/config.toml");
  return [{ path, namedBy: undefined, isInHome: true }, system];
}
