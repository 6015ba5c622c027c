import { isAnythingAbandoned } from "../cache/removal/abandoned.js";
import { now } from "../host/clock.js";
import { followForerunner } from "../stage/follow.js";
import { findHit } from "../stage/hit.js";
import { checkRequest, type StageRequest } from "../stage/request.js";
import type { StageResult } from "../stage/result.js";
import { isCommandName } from "./command-names.js";
import { imageWord } from "./image-word.js";
import { stagingOptions as stagingOptionNames } from "./option-groups.js";
import { type OptionValues, parseCommandLine } from "./options.js";
import { resultText } from "./result-text.js";
import { progressOption, stagingOptions } from "./staging-options.js";
import { waitReporter } from "./wait-reporter.js";
import { leaveDeletedDirectory, pathOptions } from "./working-directory.js";
import { writeAtOnce } from "./write-at-once.js";

/** What this can answer: all that a staging takes, but for what tells how it goes. */
const answerable: ReadonlySet<string> = new Set(
  stagingOptionNames.filter((name) => !["help", "trace", "metrics"].includes(name)),
);

export interface HitAnswer {
  readonly isAnswered: boolean;
  /** How long another process was waited for, in milliseconds. */
  readonly waitedMs: number;
}

interface Followed {
  waitedMs: number;
}

/**
 * Answers `stage-rootfs IMAGE` when the image stands in the cache and is known again, or another
 * process is about to stage it. The build makes one file of this and of all that it needs, because
 * loading many takes longer than the answer.
 * @returns whether that was it; if not, nothing is done, and the command line is for {@link main}
 */
export function answerHit(argv: readonly string[]): HitAnswer {
  const followed: Followed = { waitedMs: 0 };
  return { isAnswered: isHit(argv, followed), waitedMs: followed.waitedMs };
}

function isHit(argv: readonly string[], followed: Followed): boolean {
  try {
    const { values, words, rest } = parseCommandLine(argv);
    const [word] = words;
    if (word === undefined || words.length > 1 || isCommandName(word)) return false;
    if (rest || !Object.keys(values).every((name) => answerable.has(name))) return false;
    const image = imageWord(word, values);
    leaveDeletedDirectory([image, ...pathOptions(values)]);
    progressOption(values);
    const request = checkRequest(image, stagingOptions(values));
    if (isAnythingAbandoned(request.layout)) return false;
    const hit = findHit(request) ?? follow(request, { values, followed });
    if (hit) writeAtOnce(resultText(hit, values));
    return hit !== undefined;
  } catch {
    // Whatever it is, it happens again where there is all that it takes to say so.
    return false;
  }
}

/** Where a process may not wait as long as it takes, it is for {@link main} to look at the clock. */
function follow(
  request: StageRequest,
  { values, followed }: { values: OptionValues; followed: Followed },
): StageResult | undefined {
  if (request.options.wait !== undefined) return undefined;
  const report = waitReporter(values);
  let hasWaited = false;
  const result = followForerunner(request, {
    onWait: (event) => {
      hasWaited = true;
      report?.(event);
    },
    onAhead: (stepAside) => process.once("exit", stepAside),
  });
  // From the beginning, so that nothing is left of a deadline that was waited for.
  if (hasWaited) followed.waitedMs = now() - request.startedAt;
  return result;
}
