import { StageError } from "../errors.js";
import { printable } from "../host/byte-string.js";
import { type ReleaseOptions, releaseLeases } from "../stage/manage/release-leases.js";
import { leaseOption } from "./lease-option.js";
import type { CommandLine, OptionValues } from "./options.js";
import { writeMessage, writeResult } from "./output.js";
import { settingsOptions } from "./settings-options.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";

/** `stage-rootfs release [IMAGE|KEY|PATH...]`: prints each lease that was given up, and its entry. */
export async function releaseCommand({ values, words }: CommandLine): Promise<number> {
  if (values.all && words.length > 0) {
    throw new StageError("USAGE", "--all goes without names", {
      hint: "usage: stage-rootfs release [IMAGE|KEY|PATH...], or stage-rootfs release --all",
    });
  }
  leaveDeletedDirectory([...words, ...pathOptions(values)]);
  const report = releaseLeases({
    ...settingsOptions(values),
    images: words.length > 0 ? words : undefined,
    lease: leaseToRelease(values),
  });
  if (values.json) {
    await writeResult(`${JSON.stringify(report)}\n`);
    return 0;
  }
  const { released } = report;
  await writeResult(released.map(({ lease, key }) => `${lease} ${printable(key)}\n`).join(""));
  if (released.length === 0 && !values.quiet)
    writeMessage("stage-rootfs: there was no lease to release");
  return 0;
}

/** As for staging, or as `ls` shows a lease. @throws StageError USAGE */
function leaseToRelease(values: OptionValues): ReleaseOptions["lease"] {
  const { lease, all } = values;
  if (lease !== undefined && /^(?:slurm|process|until)-/.test(lease)) return { shown: lease };
  return all && lease === undefined ? "all" : leaseOption(values, "caller");
}
