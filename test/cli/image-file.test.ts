import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { imageFileOf } from "../../src/cli/image-file.js";
import { scratchDirectory } from "../support/scratch-directory.js";

test.each([
  ["a path", "image.tar", "image.tar"],
  ["a docker-archive", "docker-archive:image.tar", "image.tar"],
  ["one of its images", "docker-archive:image.tar:name:tag", "image.tar"],
  ["a path with a choice", "image.tar:@1", "image.tar"],
  ["an oci-archive", "oci-archive:image.tar", undefined],
  ["a layout", "oci:layout", undefined],
  ["a directory", "layout", undefined],
  ["an image of a registry", "docker://image.tar", undefined],
  ["standard input", "-", undefined],
  ["a file that is gone", "docker-archive:gone.tar", undefined],
])("the file of %s", (_, reference, file) => {
  const here = scratchDirectory();
  mkdirSync(join(here, "layout"));
  writeFileSync(join(here, "image.tar"), "");
  const path = (name: string) => name.replace(/image\.tar|layout|gone\.tar/, `${here}/$&`);
  const asked = reference.includes("://") ? reference : path(reference);
  expect(imageFileOf(asked)).toBe(file === undefined ? undefined : join(here, file));
});
