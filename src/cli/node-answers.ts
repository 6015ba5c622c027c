import { CacheLayout } from "../cache/layout.js";
import { lookUpAnswer } from "../cache/node-answers.js";
import { StageError } from "../errors.js";
import { temporaryDirectory } from "../host/temporary-directory.js";
import type { AnswerStore } from "../launch/answer-store.js";

/**
 * Keeps what was found out about a node's runtimes in a cache that was staged to. In one that is
 * not the caller's to write to, nothing is kept.
 */
export function answersIn(cacheDirectory: string): AnswerStore {
  const layout = new CacheLayout(cacheDirectory);
  return {
    find: (question) => lookUpAnswer(layout, question),
    makeDirectory: async () => {
      const { makeWorkDirectory } = await import("../cache/work-directory.js");
      try {
        // What is left there by a process that was killed is cleaned up by the next.
        return makeWorkDirectory(layout);
      } catch (error) {
        if (!(error instanceof StageError)) throw error;
        return temporaryDirectory();
      }
    },
    keep: async (question, found) => {
      const { rememberAnswer } = await import("../cache/remember-answer.js");
      try {
        rememberAnswer(layout, { ...question, ...found });
      } catch (error) {
        // It is only tried once more then, the next time.
        if (!(error instanceof StageError)) throw error;
      }
    },
  };
}
