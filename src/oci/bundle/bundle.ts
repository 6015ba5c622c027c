import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";
import { readSpan, type Span } from "../../host/span.js";
import { checkLimit, type Limits } from "../limits.js";

/**
 * Files by name, however they are packed: in a directory, in a tar archive, in a compressed one.
 * What an image source needs to know of its container.
 */
export interface Bundle {
  /** For messages: the path of the directory or archive. */
  readonly label: string;
  readonly limits: Limits;
  /**
   * Where the content of a member lies, links followed inside the bundle.
   * @returns undefined when there is no such member
   * @throws StageError IMAGE_INVALID for a name or a link that leaves the bundle
   */
  find(name: string): Span | undefined;
}

/** @throws StageError IMAGE_INVALID when there is no such member */
export function findMember(bundle: Bundle, name: string): Span {
  const span = bundle.find(name);
  if (span) return span;
  throw new StageError(
    "IMAGE_INVALID",
    `${bundle.label} holds no ${printable(name)}, though it should`,
    { hint: "the image is incomplete: fetch or copy it again" },
  );
}

/** The bytes of a member that is a JSON document. @throws StageError IMAGE_INVALID, LIMIT_DOCUMENT */
export function readDocument(bundle: Bundle, name: string): Buffer {
  const span = findMember(bundle, name);
  const place = () => `${printable(name)} in ${bundle.label}`;
  checkLimit(bundle.limits, { name: "document", value: span.size, place });
  return readSpan(span);
}
