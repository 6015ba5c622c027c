import type { Warning } from "../extract/layer-record.js";
import { isRecord } from "../host/read-json.js";
import type { PlaceToMake } from "../mountpoints/create.js";
import type { MountPoint } from "../mountpoints/mount-point.js";
import type { RuntimeConfig } from "../oci/config.js";
import type { ImageSummary } from "../oci/image.js";

/** What the cache keeps with a rootfs: all that a result needs and that the image said. */
export interface StagedImage {
  readonly imageId: string;
  readonly platform: string;
  readonly config: RuntimeConfig;
  readonly layers: readonly StagedLayer[];
  readonly mountPoints: readonly MountPoint[];
  /** What was about to be added; left only where that was broken off. */
  readonly planned?: PlannedMountPoints;
  readonly warnings: readonly Warning[];
  /** Which files for Apptainer stand beside the rootfs; earlier versions made none. */
  readonly singularity?: number;
  /** Where it was staged from first; earlier versions did not keep it. */
  readonly source?: ImageSource;
}

export interface PlannedMountPoints {
  readonly mountPoints: readonly MountPoint[];
  /** What they take, whatever of it stands already. */
  readonly places: readonly PlaceToMake[];
}

export interface ImageSource {
  /** As the caller wrote it. */
  readonly reference: string;
  readonly kind: "archive" | "layout" | "registry" | "other";
  /** Absolute path of an archive or layout; null for what is none, or can't be found again. */
  readonly path: string | null;
  /** Of the manifest, or of the index that the registry has under the reference; null if there is none. */
  readonly digest: string | null;
}

export interface StagedLayer {
  readonly diffId: string;
  /** Bytes of file content. */
  readonly unpackedSize: number;
  /** Files, directories and links; earlier versions did not keep it. */
  readonly entries?: number;
}

/** Whether what was read from the cache is a {@link StagedImage}, as far as it is used. */
export function isStagedImage(value: unknown): value is StagedImage {
  return (
    isRecord(value) &&
    typeof value["imageId"] === "string" &&
    typeof value["platform"] === "string" &&
    isRuntimeConfig(value["config"]) &&
    isListOf(value["layers"], { diffId: "string", unpackedSize: "number" }) &&
    isListOf(value["mountPoints"], mountPointShape) &&
    (value["planned"] === undefined || isPlannedMountPoints(value["planned"])) &&
    isListOf(value["warnings"], { code: "string", message: "string", count: "number" }) &&
    ["undefined", "number"].includes(typeof value["singularity"]) &&
    (value["source"] === undefined || isImageSource(value["source"]))
  );
}

function isPlannedMountPoints(value: unknown): value is PlannedMountPoints {
  return (
    isRecord(value) &&
    isListOf(value["mountPoints"], mountPointShape) &&
    isListOf(value["places"], { path: "string", kind: "string", mode: "number", mtime: "number" })
  );
}

function isImageSource(value: unknown): value is ImageSource {
  return (
    isRecord(value) &&
    typeof value["reference"] === "string" &&
    typeof value["kind"] === "string" &&
    (value["path"] === null || typeof value["path"] === "string") &&
    (value["digest"] === null || typeof value["digest"] === "string")
  );
}

/** Whether what was read from the index is an {@link ImageSummary}. */
export function isImageSummary(value: unknown): value is ImageSummary {
  return (
    isRecord(value) &&
    typeof value["imageId"] === "string" &&
    (value["manifestDigest"] === null || typeof value["manifestDigest"] === "string") &&
    typeof value["platform"] === "string" &&
    isListOf(value["layers"], { diffId: "string", size: "number" })
  );
}

const mountPointShape = { target: "string", path: "string", kind: "string", created: "boolean" };

function isRuntimeConfig(value: unknown): value is RuntimeConfig {
  return (
    isRecord(value) &&
    Array.isArray(value["env"]) &&
    Array.isArray(value["volumes"]) &&
    Array.isArray(value["exposedPorts"]) &&
    isRecord(value["labels"])
  );
}

function isListOf(value: unknown, shape: Readonly<Record<string, string>>): boolean {
  const properties = Object.entries(shape);
  return (
    Array.isArray(value) &&
    value.every(
      (item) => isRecord(item) && properties.every(([name, type]) => typeof item[name] === type),
    )
  );
}
