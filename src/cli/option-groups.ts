import type { OptionName } from "./options.js";

/** Limits of what is read before anything is unpacked. */
export const imageLimits = ["max-layers", "max-document"] as const satisfies readonly OptionName[];

/** How registries are reached. */
export const registryOptions = [
  "authfile",
  "registries-conf",
  "cert-dir",
  "insecure-registry",
  "short-names",
  "allow-foreign-layers",
  "offline",
  "max-staleness",
] as const satisfies readonly OptionName[];

/** Which cache is meant, and which may be used. */
export const cacheOptions = [
  "cache-dir",
  "config",
  "target",
  "shared",
  "trust-owner",
  "allow-disk",
] as const satisfies readonly OptionName[];

/** What can be said of a staging. */
export const stagingOptions = [
  ...cacheOptions,
  "platform",
  "mount",
  "nix-store",
  "owner",
  "keep-setuid",
  "file-digests",
  "jobs",
  "wait",
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
  "quiet",
  "help",
] as const satisfies readonly OptionName[];
