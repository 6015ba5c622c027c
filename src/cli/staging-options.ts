import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { doubtfulKinds } from "../host/file-system-kind.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import { parseMountRequest } from "../mountpoints/requests.js";
import type { Limits } from "../oci/limits.js";
import type { StageOptions } from "../stage/request.js";
import { type LeaseHolder, leaseOption } from "./lease-option.js";
import { choiceOption, numberOption, type OptionValues, sizeOption } from "./options.js";
import { settingsOptions } from "./settings-options.js";

/** What a command adds to its command line. */
export interface StagingExtras {
  /** Mount points beside those of `--mount`. Default: none. */
  readonly mounts?: readonly MountRequest[];
  /** Default: the caller. */
  readonly holder?: LeaseHolder;
}

/**
 * What a command line asks of a staging.
 * @throws StageError USAGE
 */
export function stagingOptions(
  values: OptionValues,
  { mounts = [], holder = "caller" }: StagingExtras = {},
): Omit<StageOptions, "onEvent"> {
  return {
    ...settingsOptions(values),
    shared: values.shared,
    allowDisks: allowedDisks(values),
    platform: values.platform,
    mounts: [...(values.mount ?? []).map(parseMountRequest), ...mounts],
    nixStore: values["nix-store"],
    owner: choiceOption(values, { name: "owner", words: ["image", "squash"] as const }),
    keepSetuid: values["keep-setuid"],
    fileDigests: choiceOption(values, {
      name: "file-digests",
      words: ["crc32", "sha256", "none"] as const,
    }),
    jobs: numberOption(values, "jobs"),
    wait: numberOption(values, "wait"),
    deadline: numberOption(values, "deadline"),
    fsync: fsyncOption(values),
    gc: values.gc,
    lease: leaseOption(values, holder),
    limits: limitsFrom(values),
    offline: values.offline,
    maxStaleness: numberOption(values, "max-staleness"),
    registry: {
      authFile: values.authfile,
      registriesConf: values["registries-conf"],
      certDir: values["cert-dir"],
      insecure: values["insecure-registry"],
      shortNames: values["short-names"],
      allowForeignLayers: values["allow-foreign-layers"],
    },
  };
}

/** The kinds of disks that a command line allows; undefined where it does not speak of any. */
export function allowedDisks(values: OptionValues): readonly string[] | undefined {
  return values["allow-disk"]?.map(diskKind);
}

/** A kind of file system that a cache can be refused for, or a type of FUSE's. */
function diskKind(text: string): string {
  if (doubtfulKinds.includes(text) || /^(fuse\.[^,]+|fuseblk)$/.test(text)) return text;
  throw new StageError("USAGE", `--allow-disk does not know "${printable(text)}"`, {
    hint: `it takes ${doubtfulKinds.join(", ")}, or a type such as fuse.sshfs`,
  });
}

export type ProgressWish = "auto" | "plain" | "json" | "none";

/** How progress is to be shown. @throws StageError USAGE */
export function progressOption(values: OptionValues): ProgressWish {
  const words = ["auto", "plain", "json", "none"] as const;
  return choiceOption(values, { name: "progress", words }) ?? "auto";
}

function fsyncOption({ fsync, "no-fsync": noFsync }: OptionValues): boolean | undefined {
  if (fsync && noFsync) {
    throw new StageError("USAGE", "--fsync and --no-fsync contradict each other");
  }
  return noFsync ? false : fsync;
}

/** The limits that were given; the others keep their defaults. */
function limitsFrom(values: OptionValues): Partial<Limits> {
  const given = {
    layers: sizeOption(values, "max-layers"),
    document: sizeOption(values, "max-document"),
    entries: sizeOption(values, "max-entries"),
    unpacked: sizeOption(values, "max-unpacked"),
    file: sizeOption(values, "max-file"),
    record: sizeOption(values, "max-record"),
    depth: sizeOption(values, "max-depth"),
    ratio: sizeOption(values, "max-ratio"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
