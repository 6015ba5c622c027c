import { closeSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { openRegularFile, type Span } from "../../host/span.js";
import { defaultLimits, type Limits } from "../limits.js";
import { realPath } from "../real-path.js";
import type { Bundle } from "./bundle.js";
import { normalizeMemberName } from "./member-name.js";

/**
 * A directory as a bundle. Symlinks are followed as long as they stay in the directory or, for an
 * image of a RepX Lab (`LAB/images/NAME`), in the Lab.
 * @param options.lab real path of that Lab, where it is known
 * @throws StageError NOT_FOUND, PERMISSION
 */
export function openDirectory(
  path: string,
  { limits = defaultLimits, lab }: { limits?: Limits; lab?: string | undefined } = {},
): Bundle {
  const root = realPath(path);
  const boundary = lab ?? labOf(root) ?? root;
  const label = printable(path);
  return {
    label,
    limits,
    find(name) {
      const inside = normalizeMemberName(name);
      if (inside === undefined || name.includes("\0")) throw leaves({ label, name });
      const file = realPathIfAny(join(root, inside));
      if (file === undefined) return undefined;
      if (!isInside(boundary, file)) throw leaves({ label, name, target: file });
      return spanOfFile(file);
    },
  };
}

/** The Lab that an image directory belongs to: `LAB/images/NAME` or `LAB/artifacts/images/NAME`. */
function labOf(directory: string): string | undefined {
  const images = dirname(directory);
  if (!["images", "image"].includes(basename(images))) return undefined;
  const parent = dirname(images);
  const lab = basename(parent) === "artifacts" ? dirname(parent) : parent;
  return isLab(lab, directory) ? lab : undefined;
}

/** A Lab has its store, and belongs to whom its images belong; any other `images` is just a name. */
function isLab(lab: string, image: string): boolean {
  const store = statSync(join(lab, "store"), { throwIfNoEntry: false });
  if (lab === sep || !store?.isDirectory()) return false;
  return statSync(lab).uid === statSync(image).uid;
}

function isInside(boundary: string, path: string): boolean {
  return path.startsWith(boundary.endsWith(sep) ? boundary : boundary + sep);
}

function spanOfFile(path: string): Span {
  const { fd, size } = openRegularFile(path);
  closeSync(fd);
  return { path, offset: 0, size };
}

function realPathIfAny(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    if (errno === "ELOOP") {
      const message = `${printable(path)} leads through too many symbolic links`;
      throw new StageError("IMAGE_INVALID", message, { cause: error });
    }
    throw fromSystemError(error, `read ${printable(path)}`);
  }
}

function leaves(where: { label: string; name: string; target?: string }): StageError {
  const { label, name, target } = where;
  const to = target === undefined ? "" : ` to ${printable(target)}`;
  return new StageError("IMAGE_INVALID", `${printable(name)} leads out of ${label}${to}`, {
    hint: "the files of an image must lie inside it",
  });
}
