import { type SlurmCluster, type SlurmOptions, startSlurm } from "./cluster.js";

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
}): { readonly cluster: () => Promise<SlurmCluster> } {
  const stops: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const stop of stops) await stop();
  });
  let started: Promise<SlurmCluster> | undefined;
  return {
    cluster: () => {
      started ??= startSlurm({ ...options, atTheEnd: (stop) => void stops.push(stop) });
      return started;
    },
  };
}
