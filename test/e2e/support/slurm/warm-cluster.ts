import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { file } from "../../../support/layers.js";
import { dockerArchive } from "../../../support/staged-archive.js";
import { type RunResult, stageRootfsArgv } from "../cli.js";
import { layeredImage } from "../layered-image.js";
import type { SlurmCluster } from "./cluster.js";

let count = 0;

/** What it takes to have a cluster's nodes warmed. */
export interface WarmCluster extends SlurmCluster {
  /** Archives that all nodes see. */
  readonly large: string;
  readonly small: string;
  /** A cache of the caller's own, on the node's disk. */
  readonly cacheOf: (node: string) => string;
  /** Arguments of the program: `warm --slurm` into that cache. */
  readonly warmArgs: (...args: readonly string[]) => readonly string[];
  /** Runs it with them, as on a login node. */
  readonly warm: (...args: readonly string[]) => Promise<RunResult>;
}

export function warmCluster(slurm: SlurmCluster): WarmCluster {
  const { shared, local } = slurm;
  const name = `cache-${count++}`;
  const large = join(shared, "large.tar");
  const small = join(shared, "small.tar");
  if (!existsSync(large)) layeredImage(large);
  if (!existsSync(small)) writeFileSync(small, dockerArchive([[file("etc/small", "small\n")]]));
  const warmArgs: WarmCluster["warmArgs"] = (...args) => {
    return ["warm", "--slurm", "--cache-dir", join(local, name), ...args];
  };
  return {
    ...slurm,
    large,
    small,
    cacheOf: (node) => join(slurm.localOf(node), name),
    warmArgs,
    warm: (...args) => slurm.stageRootfs(warmArgs(...args)),
  };
}

/** How many images a cache has. */
export function rootfsCount(cache: string): number {
  const directory = join(cache, "v1/rootfs");
  return existsSync(directory) ? readdirSync(directory).length : 0;
}

/**
 * A program for nodes that makes a file `begun-NODE` in the shared directory, takes a minute, and
 * then is the real one. @returns its path
 */
export function slowProgram({ shared }: SlurmCluster): string {
  const path = join(shared, "slow");
  const real = stageRootfsArgv([]).map((word) => `'${word}'`);
  const script = [
    `touch '${shared}'/begun-$SLURMD_NODENAME`,
    "sleep 60",
    `exec ${real.join(" ")} "$@"`,
  ];
  writeFileSync(path, `#!/bin/sh\n${script.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}
