import type { ErrorCode } from "../../src/errors.js";
import type { FileSet } from "../support/file-set.js";
import type { Aim, Leaves } from "./attack.js";

/** How the files of an image come: as they are, or packed. */
export type ImageForm = "directory" | "archive" | "compressed archive";
export const imageForms: readonly ImageForm[] = ["directory", "archive", "compressed archive"];

export interface ImageAttack {
  readonly files: FileSet;
  /** Default: all of them. */
  readonly forms?: readonly ImageForm[];
  /** Where among the files the image is, as `/NAME`; default: they are the image. */
  readonly directory?: string;
  /** Which image is asked for, as `:NAME`. */
  readonly choice?: string;
  /** The code it is refused with, or what comes of it. */
  readonly ends: ErrorCode | Harmless;
}

/** An image that only looks bad. */
export interface Harmless {
  /** What the rootfs holds beside the mount points that every image gets. */
  readonly rootfs: Leaves;
  /** A part of the result's `config`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * An attack by what surrounds the layers, and where it was met, as in an `AttackCase`. Seen from the
 * image, `../etc/passwd` and `../../etc/passwd` are a canary's.
 */
export type ImageAttackCase = readonly [
  name: string,
  origin: string,
  attackOn: (aim: Aim) => ImageAttack,
];
