export type { EntryUsage, Usage } from "./cache/removal/disk-usage.js";
export { type ErrorCode, type ErrorReport, type Fault, StageError } from "./errors.js";
export type { Warning } from "./extract/layer-record.js";
export { slurmJobs } from "./fleet/slurm-jobs.js";
export {
  attachCommand,
  type BatchOptions,
  batchCommand,
  type DirectOptions,
  directCommand,
  instanceScript,
  type SlurmCommand,
  type SlurmResources,
} from "./fleet/slurm-session.js";
export type {
  FleetEvent,
  FleetFailure,
  FleetReport,
  NodeResult,
  SharedDirectory,
} from "./fleet/warm/fleet-event.js";
export { type FleetOptions, warmNodes } from "./fleet/warm/warm-nodes.js";
export type { Bind } from "./launch/bind.js";
export { toCommand } from "./launch/command.js";
export type { FdContent, LaunchCommand } from "./launch/launch-command.js";
export type { BindMount, Mount } from "./launch/mount.js";
export {
  type GpuAccess,
  type LaunchConfig,
  type LaunchOptions,
  type LaunchPlan,
  type Network,
  planLaunch,
  type SandboxUser,
  type StagedRootfs,
} from "./launch/plan.js";
export type { Runtime, RuntimeName } from "./launch/runtime.js";
export {
  type ApptainerInstance,
  apptainerInstance,
  apptainerRun,
  apptainerShell,
  type InstanceOptions,
} from "./launch/runtimes/apptainer.js";
export { planSciTeXSession, type SciTeXSession } from "./launch/scitex-session.js";
export type { MountKind, MountPoint, MountRequest } from "./mountpoints/mount-point.js";
export type { RuntimeConfig } from "./oci/config.js";
export { defaultLimits, type Limits } from "./oci/limits.js";
export type { RegistrySettings } from "./oci/registry/settings.js";
export { collectGarbage } from "./stage/gc/collect-garbage.js";
export type {
  GcGoalOptions,
  GcOptions,
  GcReport,
  LeasedJob,
  RemovedEntry,
} from "./stage/gc/gc-options.js";
export { keepInBounds } from "./stage/gc/keep-in-bounds.js";
export { type InspectedLayer, type Inspection, inspectImage } from "./stage/inspect.js";
export type { LeaseWish } from "./stage/lease-wish.js";
export {
  type CacheListing,
  type ListedEntry,
  type ListedLayer,
  type ListedLease,
  type ListOptions,
  listCache,
} from "./stage/manage/list-cache.js";
export {
  type CacheMeasure,
  type MeasureOptions,
  measureCache,
} from "./stage/manage/measure-cache.js";
export {
  type ReleasedLease,
  type ReleaseOptions,
  type ReleaseReport,
  releaseLeases,
} from "./stage/manage/release-leases.js";
export {
  type KeptEntry,
  type RemovalFailure,
  type RemovalReport,
  type RemoveOptions,
  removeImages,
} from "./stage/manage/remove-images.js";
export { cacheMeasurements } from "./stage/metrics/cache-measurements.js";
export {
  errorMeasurements,
  gcMeasurements,
  type Measurement,
  stagingMeasurements,
} from "./stage/metrics/measurement.js";
export { addToMetricsFile, type MetricsOutcome } from "./stage/metrics/metrics-file.js";
export { type PackedImage, type PackOptions, packImage } from "./stage/pack/pack-image.js";
export { type FromPackOptions, stageFromPack } from "./stage/pack/stage-pack.js";
export type { StageOptions } from "./stage/request.js";
export type { ByteCounts, ResultLayer, StageEvent, StageResult, Timings } from "./stage/result.js";
export type { ImageSource } from "./stage/staged-image.js";
export type {
  Finding,
  RepairFailure,
  Verification,
  VerifiedEntry,
  VerifiedLayer,
  VerifyEvent,
} from "./stage/verify/result.js";
export { type VerifyOptions, verifyCache } from "./stage/verify/verify.js";
export type { WarmEvent } from "./stage/warm/warm-event.js";
export { warmImages } from "./stage/warm/warm-images.js";
export type { WarmedImage, WarmOptions, WarmReport } from "./stage/warm/warm-options.js";
export { type WarmEnd, warmStatus } from "./stage/warm/warm-status.js";
export { stageRootfs } from "./stage.js";
