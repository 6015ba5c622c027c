import { userInfo } from "node:os";
import { join } from "node:path";
import { errnoOf } from "../../errors.js";

/** A file that may hold credentials. */
export interface AuthFile {
  readonly path: string;
  /** What names the file, where a user did: such a one must exist, and no other is read. */
  readonly namedBy: "--authfile" | "$REGISTRY_AUTH_FILE" | undefined;
  /** `.dockercfg`, of Docker before 1.7: nothing but the entries, and their keys are URLs. */
  readonly isLegacy: boolean;
}

export interface AuthFileInputs {
  /** The user's `--authfile`. */
  readonly authFile: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** The user's home directory, if there is one. */
  readonly home: string | undefined;
}

/**
 * The files to look for credentials in, in this order (containers-auth.json(5)). Beyond what is said
 * there, `$DOCKER_CONFIG/config.json` comes before the defaults and in place of
 * `~/.docker/config.json`, because Podman and Skopeo read it so.
 */
export function authFilesInOrder(inputs: AuthFileInputs): readonly AuthFile[] {
  const { authFile, env, uid, home } = inputs;
  if (authFile) return [{ path: authFile, namedBy: "--authfile", isLegacy: false }];
  const fromEnvironment = env["REGISTRY_AUTH_FILE"];
  if (fromEnvironment) {
    return [{ path: fromEnvironment, namedBy: "$REGISTRY_AUTH_FILE", isLegacy: false }];
  }
  const dockerConfig = env["DOCKER_CONFIG"];
  const runtime = env["XDG_RUNTIME_DIR"];
  const config = env["XDG_CONFIG_HOME"] || inDirectory(home, ".config");
  const paths = [
    inDirectory(dockerConfig, "config.json"),
    inDirectory(runtime, "containers/auth.json") ?? `/run/containers/${uid}/auth.json`,
    inDirectory(config, "containers/auth.json"),
    dockerConfig ? undefined : inDirectory(home, ".docker/config.json"),
  ];
  const legacy = inDirectory(home, ".dockercfg");
  return [
    ...paths.flatMap((path) => (path ? [{ path, namedBy: undefined, isLegacy: false }] : [])),
    ...(legacy ? [{ path: legacy, namedBy: undefined, isLegacy: true }] : []),
  ];
}

function inDirectory(directory: string | undefined, name: string): string | undefined {
  return directory ? join(directory, name) : undefined;
}

/**
 * `$HOME`, or what the user database says: the prolog of a job has no environment to speak of.
 * Undefined for a user who is not in it.
 */
export function homeDirectory(env: AuthFileInputs["env"]): string | undefined {
  if (env["HOME"]) return env["HOME"];
  try {
    return userInfo().homedir || undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
