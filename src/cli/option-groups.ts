import type { OptionName } from "./options.js";

/** Limits of what is read before anything is unpacked. */
export const imageLimits: readonly OptionName[] = ["max-layers", "max-document"];

/** How registries are reached. */
export const registryOptions: readonly OptionName[] = [
  "authfile",
  "registries-conf",
  "cert-dir",
  "insecure-registry",
  "short-names",
  "allow-foreign-layers",
  "offline",
  "max-staleness",
];

/** Which cache is meant, and which may be used. */
export const cacheOptions: readonly OptionName[] = [
  "cache-dir",
  "config",
  "target",
  "shared",
  "trust-owner",
  "allow-disk",
];

/** What can be said of a staging. */
export const stagingOptions: readonly OptionName[] = [
  ...cacheOptions,
  "lab",
  "platform",
  "mount",
  "nix-store",
  "owner",
  "keep-setuid",
  "file-digests",
  "jobs",
  "wait",
  "deadline",
  "fsync",
  "no-fsync",
  "gc",
  "lease",
  ...imageLimits,
  "max-entries",
  "max-unpacked",
  "max-file",
  "max-record",
  "max-depth",
  "max-ratio",
  ...registryOptions,
  "json",
  "progress",
  "trace",
  "metrics",
  "quiet",
  "help",
];

/** Which runtime is meant, by its name or by an option of its own. */
export const runtimeOptions: readonly OptionName[] = [
  "runtime",
  "bwrap",
  "apptainer",
  "podman",
  "docker",
  "native",
];

/** Where the cache is, for what looks at one that stands. */
export const placeOptions: readonly OptionName[] = ["cache-dir", "config", "target"];
