import type { RuntimeQuestion } from "./runtime-question.js";

/** Where what was found out about runtimes is kept. */
export interface AnswerStore {
  /** Undefined where nothing is known, or it was found out under other circumstances. */
  readonly find: (question: RuntimeQuestion) => FoundAnswer | undefined;
  /** Keeps an answer, where that is possible. */
  readonly keep: (question: RuntimeQuestion, found: FoundAnswer) => Promise<void>;
  /** Makes an empty directory of the caller's to try runtimes in. Default: one for temporary files. */
  readonly makeDirectory?: (() => Promise<string>) | undefined;
}

export interface FoundAnswer {
  readonly answer: unknown;
  /** In milliseconds since 1970. */
  readonly foundAt: number;
}
