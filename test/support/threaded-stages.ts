import type { PipelineMemory } from "../../src/extract/pipeline/memory.js";
import type { Stages } from "../../src/extract/pipeline/unpack-in-stages.js";
import { type TestThread, useThreads } from "./threads.js";

export interface StageThreads {
  /** The stages of a layer, each on a thread of its own. */
  readonly stages: Stages;
  /** The same with other memory in place of what they are given. */
  readonly withMemory: (memory: PipelineMemory) => Stages;
}

/** Threads that unpack layers in stages, for the tests of a file. */
export function useStageThreads(): StageThreads {
  const threads = useThreads(["inflate", "hash", "tree", "fill"]);
  const stages = stagesOn(threads);
  return {
    stages,
    withMemory: (memory) => ({
      inflate: (task) => stages.inflate({ ...task, memory }),
      hashBlocks: (task) => stages.hashBlocks({ ...task, memory }),
      makeTree: (task) => stages.makeTree({ ...task, memory }),
      fillFiles: (task) => stages.fillFiles({ ...task, memory }),
    }),
  };
}

function stagesOn(
  threads: Readonly<Record<"inflate" | "hash" | "tree" | "fill", TestThread>>,
): Stages {
  return {
    inflate: (task) => threads.inflate.run(({ stages }, given) => stages.inflate(given), task),
    hashBlocks: (task) => threads.hash.run(({ stages }, given) => stages.hashBlocks(given), task),
    makeTree: (task) => threads.tree.run(({ stages }, given) => stages.makeTree(given), task),
    fillFiles: (task) => threads.fill.run(({ stages }, given) => stages.fillFiles(given), task),
  };
}
