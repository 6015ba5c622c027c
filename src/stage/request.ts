import { CacheLayout } from "../cache/layout.js";
import type { Lease } from "../cache/leases/lease-name.js";
import { isSharedCache } from "../cache/place/location.js";
import type { Configuration } from "../config/configuration.js";
import { StageError } from "../errors.js";
import type { FileDigests } from "../extract/listing/listing.js";
import { type OwnershipPolicy, policyTag } from "../extract/policy.js";
import { now } from "../host/clock.js";
import type { Tracer } from "../host/trace.js";
import type { MountRequest } from "../mountpoints/mount-point.js";
import { checkMountTarget, standardMountRequests } from "../mountpoints/requests.js";
import type { RuntimeConfig } from "../oci/config.js";
import type { Digest } from "../oci/digest.js";
import type { ImageSummary } from "../oci/image.js";
import { defaultLimits, type Limits, limitRange } from "../oci/limits.js";
import { type Platform, parsePlatform } from "../oci/platform.js";
import { parseReference, type Reference } from "../oci/reference.js";
import type { RegistrySettings } from "../oci/registry/settings.js";
import { resolveLab } from "../oci/sources/repx-lab.js";
import { type LeaseWish, leaseMaker } from "./lease-wish.js";
import type { Pack } from "./pack/read-pack.js";
import type { StageEvent } from "./result.js";
import { type SettingsOptions, settingsOf } from "./settings.js";
import type { ImageOpener } from "./sources/image-opener.js";

export interface StageOptions extends SettingsOptions {
  /**
   * Whether everybody may read the cache and run what is in it. Only a new cache can be made so, and
   * it stays so. All files then belong to who stages, and nobody else can write to them. Default:
   * false.
   */
  readonly shared?: boolean | undefined;
  /**
   * Kinds of file systems that a cache may be on although it does not belong there: `nfs`, `tmpfs`,
   * `fuse`, `fuse.sshfs`. Default: those in `$STAGE_ROOTFS_ALLOW_DISK`, between commas.
   */
  readonly allowDisks?: readonly string[] | undefined;
  /** `OS/ARCH[/VARIANT]`; default: this machine's. */
  readonly platform?: string | undefined;
  /** Mount points beside the standard set. */
  readonly mounts?: readonly MountRequest[] | undefined;
  /** Whether `/nix/store` is to be mounted on. Default: false. */
  readonly nixStore?: boolean | undefined;
  /** Default: `image` for root, and `squash`, the only one possible, for everybody else. */
  readonly owner?: "image" | "squash" | undefined;
  /** Whether setuid and setgid bits are kept. Default: false. */
  readonly keepSetuid?: boolean | undefined;
  /**
   * How many layers are unpacked, or fetched, side by side at most. Default: one per processor, and
   * six to fetch.
   */
  readonly jobs?: number | undefined;
  /** How long to wait for another process's staging, in seconds. Default: as long as it takes. */
  readonly wait?: number | undefined;
  /**
   * How long all of it may take, in seconds: waiting for others, fetching, unpacking. When that is
   * over, BUSY is thrown; layers that are finished stay for the next try. What stands already is
   * found in any case. Default: as long as it takes.
   */
  readonly deadline?: number | undefined;
  /**
   * Whether what is staged is written to disk before it is shown, so that it outlasts a loss of
   * power, or the next boot. Without it, it is made again then. Default: true.
   */
  readonly fsync?: boolean | undefined;
  /**
   * Whether entries that nobody uses may be removed when the disk lacks room. Default: `auto_gc` in
   * the configuration's `[cache]`, else false.
   */
  readonly gc?: boolean | undefined;
  /**
   * What keeps the entry from being removed by `gc` and `rm`. Default: this process, as long as it
   * lives.
   */
  readonly lease?: LeaseWish | undefined;
  /** How registries are reached, for references of the kind `docker://`. */
  readonly registry?: RegistrySettings | undefined;
  /** Whether to do without registries: only what the cache knows is staged. Default: false. */
  readonly offline?: boolean | undefined;
  /** For how long a tag is taken to stand for what it stood for, in seconds. Default: 0. */
  readonly maxStaleness?: number | undefined;
  /** How long the caller has waited for others already, in milliseconds: timings count it. */
  readonly waitedMs?: number | undefined;
  /** Stops the staging, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How much the image may ask for; default: {@link defaultLimits}. */
  readonly limits?: Partial<Limits> | undefined;
  /** By what each file's content is hashed, for checking it later; default: `crc32`. */
  readonly fileDigests?: FileDigests | undefined;
  readonly onEvent?: ((event: StageEvent) => void) | undefined;
  /** Is told of each piece of work when it is done, for finding out where the time goes. */
  readonly trace?: Tracer | undefined;
}

/** What a staging was asked for, checked and with the defaults filled in. */
export interface StageRequest {
  /** As the caller wrote it. */
  readonly image: string;
  readonly reference: Reference;
  readonly cacheDirectory: string;
  readonly layout: CacheLayout;
  readonly uid: number;
  readonly isShared: boolean;
  readonly trustedOwners: readonly number[];
  readonly allowedDisks: readonly string[];
  readonly policy: OwnershipPolicy;
  readonly platform: Platform | undefined;
  readonly mounts: readonly MountRequest[];
  readonly limits: Limits;
  /** Makes the lease that the entry gets; undefined where it gets none. */
  readonly lease: (() => Lease) | undefined;
  readonly options: StageOptions;
  /** Reads the configuration when it is asked for first. @throws StageError CONFIG */
  readonly configuration: () => Configuration;
  /** What the image is taken from, in place of where its reference says. */
  readonly pack?: Pack;
  /** How long others were waited for before, in milliseconds. */
  readonly waitedMs: number;
  /** By the clock of {@link now}, such a wait included. */
  readonly startedAt: number;
  /** When it counts as too late, by the same clock; undefined for never. */
  readonly endsAt: number | undefined;
  /** Is asked before anything of an image is made that the cache lacks; throws if it is not to be. */
  readonly admit?: Admission | undefined;
  /** Keys of entries that are not to go when room is made. Default: none. */
  readonly keptKeys?: () => Iterable<string>;
}

/** Decides on an image when it is known what it is made of. */
export type Admission = (
  request: StageRequest,
  found: { readonly summary: ImageSummary; readonly opener: ImageOpener },
) => Promise<void>;

/** @throws StageError USAGE, CONFIG; for an image of a Lab also as {@link resolveLab} */
export function checkRequest(image: string, options: StageOptions): StageRequest {
  return { ...checkOptions(options), image, reference: resolveLab(parseReference(image)) };
}

/** What a staging was asked for, but for the image. */
export type RequestOptions = Omit<StageRequest, "image" | "reference">;

/** @throws StageError USAGE, CONFIG */
export function checkOptions(options: StageOptions): RequestOptions {
  const { cacheDirectory, uid, configuration } = settingsOf(options);
  checkJobs(options.jobs);
  checkDeadline(options.deadline);
  const startedAt = now() - (options.waitedMs ?? 0);
  const isShared = options.shared || isSharedCache(cacheDirectory);
  return {
    cacheDirectory,
    layout: new CacheLayout(cacheDirectory),
    uid,
    isShared,
    trustedOwners: options.trustOwners ?? [],
    allowedDisks: allowedDisksOf(options),
    policy: isShared ? sharedPolicy(options) : policyOf(options, uid),
    platform: options.platform === undefined ? undefined : parsePlatform(options.platform),
    mounts: (options.mounts ?? []).map(({ target, kind }) => {
      return { target: checkMountTarget(target), kind };
    }),
    limits: limitsOf(options.limits ?? {}),
    lease: leaseMaker(options.lease ?? "process"),
    options,
    configuration,
    waitedMs: options.waitedMs ?? 0,
    startedAt,
    endsAt: options.deadline === undefined ? undefined : startedAt + options.deadline * 1000,
  };
}

function policyOf(options: StageOptions, uid: number): OwnershipPolicy {
  const owner = options.owner ?? (uid === 0 ? "image" : "squash");
  if (owner === "image" && uid !== 0) {
    throw new StageError("USAGE", "only root can give files the image's owners", {
      hint: "leave --owner out: the owners stay on record in the cache",
    });
  }
  return { owner, setuid: options.keepSetuid ? "keep" : "drop" };
}

/** In a cache that everybody may read, nobody but its owner may write to anything. */
function sharedPolicy({ owner, keepSetuid }: StageOptions): OwnershipPolicy {
  const odd = keepSetuid ? "--keep-setuid" : owner === "image" ? "--owner image" : undefined;
  if (odd !== undefined) {
    throw new StageError("USAGE", `${odd} can't be had in a shared cache`, {
      hint: keepSetuid
        ? "everybody could run its programs as another user: use a private cache"
        : "whoever has an owner's number on this machine could write there: use a private cache",
    });
  }
  return { owner: "squash", setuid: "drop", writers: "owner" };
}

/** The kinds of disks that options allow a cache to be on, or else the environment. */
export function allowedDisksOf({
  allowDisks,
}: Pick<StageOptions, "allowDisks">): readonly string[] {
  const { STAGE_ROOTFS_ALLOW_DISK: words = "" } = process.env;
  return allowDisks ?? words.split(",").filter((word) => word !== "");
}

function limitsOf(wanted: Partial<Limits>): Limits {
  const limits = { ...defaultLimits, ...wanted };
  for (const [name, value] of Object.entries(limits)) {
    const most = name === "depth" ? limitRange.depth : limitRange.others;
    if (Number.isSafeInteger(value) && value >= 0 && value <= most) continue;
    throw new StageError("USAGE", `${value} is no limit for ${name}`, {
      hint: `give a whole number up to ${most}`,
    });
  }
  return limits;
}

/** @throws StageError USAGE for what is no number of things to do side by side */
export function checkJobs(jobs: number | undefined): void {
  if (jobs === undefined || (Number.isInteger(jobs) && jobs >= 1 && jobs <= 1024)) return;
  throw new StageError("USAGE", `${jobs} is no number of jobs`, { hint: "give 1 to 1024" });
}

function checkDeadline(deadline: number | undefined): void {
  if (deadline === undefined || (Number.isFinite(deadline) && deadline >= 0)) return;
  throw new StageError("USAGE", `${deadline} is no deadline`, { hint: "give a number of seconds" });
}

/** The name under which the cache has a tree: its digest, and what else the tree depends on. */
export function cacheName({ policy, uid }: StageRequest, digest: Digest): string {
  const tag = policyTag(policy, uid);
  const name = digest.replace(":", "-");
  return tag === "" ? name : `${name}-${tag}`;
}

/** The name of an image's entry. */
export function keyOf(request: StageRequest, { imageId }: Pick<ImageSummary, "imageId">): string {
  return cacheName(request, imageId);
}

/** The standard mount points of an image, and those that were asked for. */
export function mountRequestsOf(
  { mounts, options }: StageRequest,
  config: RuntimeConfig,
): readonly MountRequest[] {
  const nixStore = options.nixStore ?? false;
  return [...standardMountRequests({ workingDir: config.workingDir, nixStore }), ...mounts];
}
