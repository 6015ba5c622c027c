/**
 * What glibc takes from the environment to find code or files, and so takes from no stranger
 * (sysdeps/generic/unsecvars.h).
 */
const names: ReadonlySet<string> = new Set([
  "GCONV_PATH",
  "GETCONF_DIR",
  "GLIBC_TUNABLES",
  "HOSTALIASES",
  "LOCALDOMAIN",
  "LOCPATH",
  "NIS_PATH",
  "NLSPATH",
  "RESOLV_HOST_CONF",
  "RES_OPTIONS",
  "TMPDIR",
  "TZDIR",
]);

/** An environment in two parts. */
export interface PartedEnvironment {
  /** What a program of the host may be started with. */
  readonly harmless: Readonly<Record<string, string>>;
  /** What would have a program of the host load an image's files, outside of any sandbox. */
  readonly loader: Readonly<Record<string, string>>;
}

/** Tells what an image's environment may do to a program of the host that is given it. */
export function partEnvironment(env: Readonly<Record<string, string>>): PartedEnvironment {
  const entries = Object.entries(env);
  return {
    harmless: Object.fromEntries(entries.filter(([name]) => !isOfLoader(name))),
    loader: Object.fromEntries(entries.filter(([name]) => isOfLoader(name))),
  };
}

function isOfLoader(name: string): boolean {
  return names.has(name) || name.startsWith("LD_") || name.startsWith("MALLOC_");
}
