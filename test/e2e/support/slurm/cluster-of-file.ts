import { onTestFinished } from "vitest";
import { type SlurmCluster, type SlurmOptions, startSlurm } from "./cluster.js";

export interface ClusterOfFile {
  readonly cluster: () => Promise<SlurmCluster>;
  /** The same, for a test that leaves no job behind: it ends when Slurm has none any more. */
  readonly settledCluster: () => Promise<SlurmCluster>;
}

/**
 * A cluster that all tests of a file share: the first that asks for it starts it, and it ends with
 * the file. (A hook would start it also where the tests are skipped.)
 */
export function clusterOfFile({
  afterAll,
  ...options
}: Omit<SlurmOptions, "atTheEnd"> & {
  /** vitest's. */
  readonly afterAll: (end: () => Promise<void>) => void;
}): ClusterOfFile {
  const stops: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const stop of stops) await stop();
  });
  let started: Promise<SlurmCluster> | undefined;
  const cluster = () => {
    started ??= startSlurm({ ...options, atTheEnd: (stop) => void stops.push(stop) });
    return started;
  };
  return {
    cluster,
    settledCluster: async () => {
      const slurm = await cluster();
      onTestFinished(slurm.settled);
      return slurm;
    },
  };
}
