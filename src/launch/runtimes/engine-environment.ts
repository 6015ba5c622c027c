/** An environment for a container, as options and as what the engine's program is started with. */
export interface EngineEnvironment {
  readonly options: readonly string[];
  /** Values of variables that the options only name, so that no process list shows them. */
  readonly passed: Readonly<Record<string, string>>;
}

/**
 * What engines, the programs below them, libc and Go's runtime go by. These are given as options,
 * and an image's never reach a program of the host.
 */
const meantForPrograms = new RegExp(
  `^(${[
    ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "HOSTNAME", "TMPDIR", "TZ", "TZDIR"],
    ...["HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "RESOLV_HOST_CONF", "NOTIFY_SOCKET"],
    ...["LANG", "LANGUAGE", "LOCPATH", "NLSPATH", "NIS_PATH", "GCONV_PATH", "GETCONF_DIR"],
    ...["BASH_ENV", "ENV", "IFS", "SHELLOPTS", "SUPPRESS_BOLTDB_WARNING", "QUOTING_STYLE"],
    ...["_.*", "LC_.*", "LD_.*", "GLIBC_.*", "MALLOC_.*", "GO.*", "XDG_.*", "DBUS_.*"],
    ...["CONTAINERS?_.*", "PODMAN_.*", "STORAGE_.*", "BUILDAH_.*", "REGISTR.*", "DOCKER_.*"],
    ...["BUILDKIT.*", "BUILDX.*", "COMPOSE_.*", "OTEL_.*", "CONMON_.*", "CRUN_.*", "LIBCRUN_.*"],
    ...["RUN_OCI_.*", "OCI_.*", "NETAVARK_.*", "AARDVARK_.*", "CNI_.*", "NETNS_.*", "CGROUP.*"],
    ...["LISTEN_.*", "SYSTEMD_.*", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "WATCHDOG_.*"],
    ...["SSH_.*", "SSL_.*", "GNUPGHOME", "GPG_.*", "FUSE_.*", "RUST_.*", "HTTPS?_PROXY"],
    ...["https?_proxy", "(NO|FTP|ALL)_PROXY", "(no|ftp|all)_proxy", "USERNS"],
  ].join("|")})$`,
  "s",
);

/**
 * Gives a container its environment. Values go by the environment of the engine's program where that
 * can do no harm, and by its options where the program itself would go by them.
 * @param env the container's
 * @param callerEnv what the program itself is to have
 */
export function engineEnvironment(
  env: Readonly<Record<string, string>>,
  callerEnv: Readonly<Record<string, string>>,
): EngineEnvironment {
  const entries = Object.entries(env);
  const isPassed = (name: string) =>
    !meantForPrograms.test(name) && !Object.hasOwn(callerEnv, name) && !isPattern(name);
  return {
    options: entries.flatMap(([name, value]) => [
      "--env",
      isPassed(name) ? name : `${name}=${value}`,
    ]),
    passed: Object.fromEntries(entries.filter(([name]) => isPassed(name))),
  };
}

/** podman takes `NAME*` for all variables whose names begin so. */
function isPattern(name: string): boolean {
  return name.endsWith("*");
}
