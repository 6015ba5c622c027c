import { join } from "node:path";
import type { Bundle } from "../../src/oci/bundle/bundle.js";
import { openDirectory } from "../../src/oci/bundle/directory.js";
import { type FileSet, writeFiles } from "./file-set.js";
import { scratchDirectory } from "./scratch-directory.js";

/** The files as a bundle, in a directory called `image` that goes away with the test. */
export function bundleOf(files: FileSet): Bundle {
  return openDirectory(writeFiles(join(scratchDirectory(), "image"), files));
}
