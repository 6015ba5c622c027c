import { existsSync, statSync } from "node:fs";
import type { RuntimeName } from "../runtime.js";

/** Where a program finds its programs, its files and its services. */
const everywhere = ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LANG"];

const session = [
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_CACHE_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
];

const variables: Readonly<Record<RuntimeName, readonly string[]>> = {
  bwrap: [],
  apptainer: [],
  podman: [
    ...everywhere,
    ...session,
    "CONTAINERS_CONF",
    "CONTAINERS_CONF_OVERRIDE",
    "CONTAINERS_STORAGE_CONF",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
  ],
  docker: [
    ...everywhere,
    ...session,
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DOCKER_API_VERSION",
    "SSH_AUTH_SOCK",
  ],
  native: ["PATH"],
};

/**
 * What a runtime's own program has to know of an environment: where its state lies, and its engine.
 * A XDG_RUNTIME_DIR that is no directory here is left out: Slurm hands on the submitting node's, and
 * programs that believe in it fail.
 */
export function callerVariables(
  name: RuntimeName,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const variable of variables[name]) {
    const value = environment[variable];
    if (value === undefined) continue;
    if (variable === "XDG_RUNTIME_DIR" && !isDirectory(value)) continue;
    found[variable] = value;
  }
  return found;
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
