import { StageError } from "../errors.js";
import { type ByteString, displayPath } from "../host/byte-string.js";

const needsWork = /^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** NAME_MAX of Linux: no file system takes a longer component, in bytes. */
const componentLimit = 255;

/**
 * A member's name, or a hard link's target, as a path below the root: no leading or trailing slash,
 * no `.` parts; `""` for the root itself.
 * @throws StageError IMAGE_INVALID for `..`, which no archiver writes and no layer needs, and for
 * the empty name; IMAGE_UNSUPPORTED for a component that is too long for Linux
 */
export function entryPath(name: ByteString): ByteString {
  if (name === "") throw new StageError("IMAGE_INVALID", "an entry without a name");
  if (name.length > componentLimit && hasLongComponent(name)) {
    throw new StageError("IMAGE_UNSUPPORTED", `the name ${displayPath(name)} is too long`, {
      hint: `Linux takes ${componentLimit} bytes between slashes`,
    });
  }
  if (!needsWork.test(name)) return name;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) {
    throw new StageError("IMAGE_INVALID", `the path ${displayPath(name)} holds ".."`, {
      hint: "the image is malformed or hostile: build it again",
    });
  }
  return parts.join("/");
}

/** Not by a regular expression, which would try each byte of a long path as a component's first. */
function hasLongComponent(name: ByteString): boolean {
  return name.split("/").some((part) => part.length > componentLimit);
}
