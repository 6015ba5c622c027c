import type { MountRequest } from "../mountpoints/mount-point.js";
import { parseMountRequest } from "../mountpoints/requests.js";
import type { Limits } from "../oci/limits.js";
import type { StageResult } from "../stage/result.js";
import { stageRootfs } from "../stage.js";
import { interruptible } from "./interruption.js";
import {
  type CommandLine,
  choiceOption,
  numberOption,
  type OptionValues,
  sizeOption,
} from "./options.js";
import { progressReporter, reportWarnings } from "./progress.js";
import { leaveDeletedDirectory } from "./working-directory.js";

/**
 * Stages the image of a command line, with its options, and says on stderr what is to be said.
 * @param mounts mount points beside those of `--mount`
 */
export async function stageFromLine(
  { values, words }: CommandLine,
  mounts: readonly MountRequest[] = [],
): Promise<StageResult> {
  const [image = ""] = words;
  leaveDeletedDirectory([image, values["cache-dir"], process.env["STAGE_ROOTFS_CACHE_DIR"]]);
  const wanted = choiceOption(values, {
    name: "progress",
    words: ["auto", "plain", "json", "none"] as const,
  });
  const options = {
    cacheDir: values["cache-dir"],
    platform: values.platform,
    mounts: [...(values.mount ?? []).map(parseMountRequest), ...mounts],
    nixStore: values["nix-store"],
    owner: choiceOption(values, { name: "owner", words: ["image", "squash"] as const }),
    keepSetuid: values["keep-setuid"],
    jobs: numberOption(values, "jobs"),
    wait: numberOption(values, "wait"),
    limits: limitsFrom(values),
    onEvent: values.quiet ? undefined : progressReporter(wanted ?? "auto"),
  };
  const result = await interruptible((signal) => stageRootfs(image, { ...options, signal }));
  // Of a hit, everything was said when it was staged.
  if (!values.quiet && !result.hit) reportWarnings(result.warnings);
  return result;
}

/** The limits that were given; the others keep their defaults. */
function limitsFrom(values: OptionValues): Partial<Limits> {
  const given = {
    layers: sizeOption(values, "max-layers"),
    document: sizeOption(values, "max-document"),
    entries: sizeOption(values, "max-entries"),
    unpacked: sizeOption(values, "max-unpacked"),
    file: sizeOption(values, "max-file"),
    record: sizeOption(values, "max-record"),
    depth: sizeOption(values, "max-depth"),
    ratio: sizeOption(values, "max-ratio"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
