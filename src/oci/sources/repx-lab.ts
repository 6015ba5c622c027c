import { existsSync, readdirSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { errnoOf, fromSystemError, StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { realPath } from "../real-path.js";
import type { Reference } from "../reference.js";

/** Where a Lab may have its images, in the order in which they are looked at. */
const directories = ["images", "image", "artifacts/images", "artifacts/image"];

/** What the file of an image, or the directory of one that is unpacked, is called beside its name. */
const suffixes = ["", ".gz", ".tar", ".tar.gz"];

/** By these a directory is an image itself. */
const imageFiles = ["manifest.json", "oci-layout", "index.json"];

/**
 * A reference to an image of a RepX Lab as one to the image's own file or directory: that of
 * `repx:LAB[#NAME]`, and that of a bare path to a Lab. Other references stay as they are.
 * @throws StageError NOT_FOUND, with all paths that were tried where there is a Lab; REFERENCE_AMBIGUOUS where a Lab has
 * several images and none is named; IMAGE_INVALID for one that is a link out of the Lab
 */
export function resolveLab(reference: Reference): Reference {
  const { transport, location } = reference;
  if (reference.lab !== undefined) return reference;
  if (transport === "path") {
    return isLab(location) ? inLab(location, theOnlyImage(location)) : reference;
  }
  if (transport !== "repx") return reference;
  const hash = location.lastIndexOf("#");
  if (hash < 0) return inLab(location, theOnlyImage(location));
  const lab = location.slice(0, hash);
  return inLab(lab, imageCalled(lab, location.slice(hash + 1)));
}

function isLab(path: string): boolean {
  if (!isDirectory(path) || imageFiles.some((name) => existsSync(join(path, name)))) return false;
  return directories.some((name) => isDirectory(join(path, name)));
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

function imageCalled(lab: string, name: string): string {
  const tried = directories.flatMap((directory) => {
    return suffixes.map((suffix) => join(lab, directory, name + suffix));
  });
  refuseMissing(lab);
  const found = tried.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const names = [...imagesOf(lab).keys()];
  throw new StageError(
    "NOT_FOUND",
    printable(`the Lab ${lab} has no image "${name}": there is none of ${tried.join(", ")}`),
    { hint: names.length > 0 ? printable(`it has ${listing(names)}`) : undefined },
  );
}

function refuseMissing(lab: string): void {
  if (isDirectory(lab)) return;
  throw new StageError("NOT_FOUND", printable(`there is no Lab ${lab}: it is no directory`), {
    hint: "give the directory that holds the Lab's images directory",
  });
}

function theOnlyImage(lab: string): string {
  refuseMissing(lab);
  const images = imagesOf(lab);
  const [first, ...others] = images.values();
  const places = directories.map((directory) => join(lab, directory)).join(", ");
  if (first === undefined) {
    throw new StageError(
      "NOT_FOUND",
      printable(`the Lab ${lab} has no images: nothing is in any of ${places}`),
    );
  }
  if (others.length === 0) return first;
  throw new StageError("REFERENCE_AMBIGUOUS", printable(`the Lab ${lab} has several images`), {
    hint: printable(
      `choose one with repx:${lab.replace(/#.*$/s, "")}#NAME; it has ${listing([...images.keys()])}`,
    ),
  });
}

/** The images of a Lab by their names, each with its first path. */
function imagesOf(lab: string): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  for (const directory of directories) {
    for (const file of namesIn(join(lab, directory))) {
      const name = file.replace(/(?:\.tar)?(?:\.gz)?$/, "");
      if (!images.has(name)) images.set(name, join(lab, directory, file));
    }
  }
  return images;
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return [];
    throw fromSystemError(error, `read ${printable(directory)}`);
  }
}

/** The image at a path, which may be a link within the Lab, and not out of it. */
function inLab(lab: string, path: string): Reference {
  const [root, image] = [lab, path].map((each) => realPath(each));
  if (root === undefined || image === undefined || !image.startsWith(root + sep)) {
    throw new StageError(
      "IMAGE_INVALID",
      printable(`${path} leads out of the Lab ${lab} to ${image}`),
      { hint: "the images of a Lab must lie inside it" },
    );
  }
  return { transport: "path", location: path, lab: root };
}

function listing(names: readonly string[]): string {
  const shown = names.toSorted().slice(0, 20).join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
