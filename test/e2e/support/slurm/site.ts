import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import type { RunOptions, RunResult } from "../cli.js";
import type { UserKind } from "../users.js";
import type { SlurmCluster } from "./cluster.js";
import { clusterOfFile } from "./cluster-of-file.js";

export interface SiteOptions {
  /** vitest's. */
  readonly afterAll: (end: () => Promise<void>) => void;
  /** What `generate slurm-prolog` gets beside the cache. */
  readonly prolog?: readonly string[];
  /** What `generate slurm-epilog` gets beside the cache. */
  readonly epilog?: readonly string[];
}

/** A batch job that has ended. */
export interface EndedJob {
  readonly id: string;
  /** What it wrote to its standard streams; empty where it never began. */
  readonly output: string;
  readonly exitCode: number;
}

/** A cluster whose prolog, task prolog and epilog are those that the program generates. */
export interface Site extends SlurmCluster {
  /** Changes a generated script from here on; what it was changed to before does not count. */
  readonly change: (
    which: "prolog" | "task" | "epilog",
    change?: (script: string) => string,
  ) => void;
  /** Submits a script's lines, with options of sbatch, and waits until the job has ended. */
  readonly batch: (
    lines: string,
    options?: { readonly args?: readonly string[] } & Pick<RunOptions, "as">,
  ) => Promise<EndedJob>;
  /** Runs a command on one node as root, outside of the prologs. */
  readonly onNode: (node: string, command: string) => Promise<RunResult>;
  /** The cache of a user, or of all, on a node, as it is seen from outside. */
  readonly cacheOf: (node: string, user: UserKind | "all") => string;
  /** The leases that a node's caches have, as their files are called. */
  readonly leasesOn: (node: string) => readonly string[];
  /** What prolog and epilog know of the jobs on a node. */
  readonly statesOn: (node: string) => readonly string[];
}

const uids = { root: 0, ordinary: 23456, another: 23457 } as const;

/** A site that all tests of a file share; the first that asks for it starts it. */
export function siteOfFile({ afterAll, prolog = [], epilog = [] }: SiteOptions): {
  readonly site: () => Promise<Site>;
} {
  const paths = (directory: string) => ({
    prolog: join(directory, "prolog"),
    task: join(directory, "task-prolog"),
    epilog: join(directory, "epilog"),
  });
  const { cluster } = clusterOfFile({
    afterAll,
    lines: ({ directory }) => {
      const scripts = paths(directory);
      return [
        `Prolog=${scripts.prolog}`,
        `TaskProlog=${scripts.task}`,
        `Epilog=${scripts.epilog}`,
        "BatchStartTimeout=60",
      ];
    },
  });
  const start = async (): Promise<Site> => {
    const its = await cluster();
    const { directory, local, localOf, run } = its;
    const scripts = paths(directory);
    const generated = async (what: string, args: readonly string[]) => {
      const place = ["--cache-dir", join(local, "cache")];
      const { stdout, stderr, exitCode } = await its.stageRootfs(
        ["generate", what, ...place, ...args],
        { as: "root" },
      );
      if (exitCode !== 0) throw new Error(stderr);
      // All nodes are on one machine, and each has to have one of its own.
      return stdout.replace(/^STATE_DIR=.*$/m, `STATE_DIR=${join(local, "state")}`);
    };
    const write = (path: string, text: string) => {
      writeFileSync(path, text);
      chmodSync(path, 0o755);
    };
    const disk = ["--allow-disk", "tmpfs"];
    const originals = {
      prolog: await generated("slurm-prolog", [...disk, ...prolog]),
      task: await generated("slurm-task-prolog", disk),
      epilog: await generated("slurm-epilog", epilog),
    };
    for (const which of ["prolog", "task", "epilog"] as const)
      write(scripts[which], originals[which]);
    const cacheOf: Site["cacheOf"] = (node, user) =>
      join(localOf(node), user === "all" ? "cache" : `cache-users/${uids[user]}`);
    return {
      ...its,
      change: (which, change = (script) => script) =>
        write(scripts[which], change(originals[which])),
      batch: async (lines, { args = [], ...how } = {}) => {
        const script = join(its.shared, `job-${count++}`);
        writeFileSync(script, `#!/bin/sh\n${lines}\n`);
        const streams = ["--parsable", `--output=${script}.out`];
        const argv = ["sbatch", ...streams, ...args, script] as const;
        const { stdout, stderr } = await run(argv, how);
        const id = stdout.trim();
        if (id === "") throw new Error(`sbatch: ${stderr}`);
        // sbatch --wait looks after 2 s, and then after 10.
        const ending = /JobState=(?:COMPLETED|FAILED|TIMEOUT|CANCELLED).* ExitCode=(\d+):/;
        const exitCode = await vi.waitFor(
          async () => {
            const job = await run(["scontrol", "--oneliner", "show", "job", id]);
            const [, status] = ending.exec(job.stdout) ?? [];
            if (status === undefined) throw new Error(`job ${id} has not ended: ${job.stdout}`);
            return Number(status);
          },
          { timeout: 60_000, interval: 100 },
        );
        const out = `${script}.out`;
        return { id, exitCode, output: existsSync(out) ? readFileSync(out, "utf8") : "" };
      },
      onNode: async (node, command) => {
        // Steps of root's are started where the node's daemon is.
        const argv = ["srun", `--nodelist=${node}`, "sh", "-c", command] as const;
        return await run(argv, { as: "root" });
      },
      cacheOf,
      leasesOn: (node) =>
        (["all", "ordinary", "another"] as const).flatMap((user) => {
          const leases = join(cacheOf(node, user), "v1/leases");
          if (!existsSync(leases)) return [];
          return readdirSync(leases, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map(({ name }) => name);
        }),
      statesOn: (node) => {
        const states = join(localOf(node), "state");
        return existsSync(states) ? readdirSync(states).filter((name) => /^\d/.test(name)) : [];
      },
    };
  };
  let started: Promise<Site> | undefined;
  return {
    site: () => {
      started ??= start();
      return started;
    },
  };
}

let count = 0;
