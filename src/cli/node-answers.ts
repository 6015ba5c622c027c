import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { lookUpAnswer } from "../cache/index/node-answers.js";
import { CacheLayout } from "../cache/layout.js";
import { errnoOf, StageError } from "../errors.js";
import { temporaryDirectory } from "../host/temporary-directory.js";
import type { AnswerStore } from "../launch/choice/answer-store.js";

/**
 * Keeps what was found out about a node's runtimes in a cache that was staged to. In one that is
 * not the caller's to write to, nothing is kept.
 */
export function answersIn(cacheDirectory: string): AnswerStore {
  const layout = new CacheLayout(cacheDirectory);
  return {
    find: (question) => lookUpAnswer(layout, question),
    makeDirectory: async () => {
      try {
        // Without a comma, which podman can't take. One that is left there is cleaned up some day.
        return mkdtempSync(join(layout.tmp, "probe-"));
      } catch (error) {
        if (errnoOf(error) === undefined) throw error;
        return temporaryDirectory();
      }
    },
    keep: async (question, found) => {
      const { rememberAnswer } = await import("../cache/index/remember-answer.js");
      try {
        rememberAnswer(layout, { ...question, ...found });
      } catch (error) {
        // It is only tried once more then, the next time.
        if (!(error instanceof StageError)) throw error;
      }
    },
  };
}
