import { execa } from "execa";
import { isRoot, runAsOrdinaryUser } from "./users.js";

/** Where an image is: an OCI layout and a tag in it. */
export interface LayoutReference {
  readonly layout: string;
  readonly tag: string;
}

/** Runs umoci as the caller; throws, with its stderr, when it fails. */
export async function umoci(args: readonly string[]): Promise<void> {
  await execa("umoci", ["--log=error", ...args]);
}

/**
 * Unpacks an image of an OCI layout into the new directory `dest`: as root, or rootless as the
 * ordinary user, who must be able to make `dest`. Without the bundle around it (`umoci raw unpack`),
 * whose mtree manifest takes umoci far longer than the unpacking.
 */
export async function umociUnpack(
  { layout, tag }: LayoutReference,
  options: { readonly dest: string; readonly rootless?: boolean },
): Promise<void> {
  const image = ["--image", `${layout}:${tag}`, options.dest];
  if (options.rootless ?? !isRoot()) {
    const args = ["--log=error", "raw", "unpack", "--rootless", ...image];
    await runAsOrdinaryUser("umoci", args);
  } else {
    await umoci(["raw", "unpack", ...image]);
  }
}
