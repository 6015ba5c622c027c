import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { mountAccounts, writeAccountFiles } from "../account-files.js";
import { type RunOptions, type RunResult, runArgv, stageRootfsArgv } from "../cli.js";
import { makeScratchDir } from "../places.js";
import type { Need } from "../programs.js";
import { type UserKind, userFor } from "../users.js";
import { mungeSocket, slurmConf } from "./configuration.js";

/** What {@link startSlurm} needs. */
export const slurmNeeds: readonly Need[] = [
  "root",
  "munged",
  "slurmctld",
  "slurmd",
  "srun",
  "setpriv",
  "unshare",
];

/** The users' names in the cluster. */
const names = { ordinary: "ada", another: "bob" } as const;

export interface SlurmOptions {
  /** How many processors each of the four nodes says it has. Default: 4. */
  readonly cpus?: number;
  /** Makes more lines of slurm.conf, such as `Prolog=/some/script`. */
  readonly lines?: (cluster: Pick<SlurmCluster, "directory" | "local">) => readonly string[];
  /** What is to call the function at the end: the running test's end unless given. */
  readonly atTheEnd?: (stop: () => Promise<void>) => void;
}

/** A running Slurm of four nodes, all of them on this machine. */
export interface SlurmCluster {
  /** Where all that belongs to it lies; everybody may read it. */
  readonly directory: string;
  /** `n1` to `n4`. */
  readonly nodes: readonly string[];
  /** A directory that is each node's own, at the same path on all; anybody may write to it. */
  readonly local: string;
  /** The same of one node, as it is seen from outside. */
  readonly localOf: (node: string) => string;
  /** A directory that all nodes and the clients share; anybody may write to it. */
  readonly shared: string;
  /** The home directory of a user. */
  readonly homeOf: (kind: UserKind) => string;
  /** Runs a command as on a login node, with that user's account and the environment asked for. */
  readonly run: (argv: readonly [string, ...string[]], options?: RunOptions) => Promise<RunResult>;
  /** Runs the packaged program so. */
  readonly stageRootfs: (args: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /** The argv that {@link run} starts, as root, for whoever has to start it otherwise. */
  readonly argv: (
    argv: readonly string[],
    options?: Pick<RunOptions, "as" | "cwd">,
  ) => readonly [string, ...string[]];
  /** For whoever starts a command otherwise. */
  readonly env: Readonly<Record<string, string>>;
  /** What Slurm calls the state of a node: `idle`, `drained`, … */
  readonly stateOf: (node: string) => Promise<string>;
  /**
   * Ends the daemon of a node, and the steps that it has started. Slurm notices after its
   * SlurmdTimeout, which is 300 s unless `lines` says otherwise; a job for it waits so long.
   */
  readonly killNode: (node: string) => Promise<void>;
  readonly startNode: (node: string) => Promise<void>;
  /** Waits until no job is left, running or about to end. */
  readonly settled: () => Promise<void>;
  /** Ends it all, and removes its directory; harmless when repeated. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts munged, slurmctld and four slurmd in a PID namespace of their own, which ends with this
 * process however that ends, and each node in a mount namespace of its own.
 */
export async function startSlurm(options: SlurmOptions = {}): Promise<SlurmCluster> {
  const { cpus = 4, atTheEnd = onTestFinished } = options;
  const directory = makeScratchDir("slurm", { mode: 0o755 });
  const local = join(directory, "local");
  const shared = join(directory, "shared");
  const localOf = (node: string) => join(directory, "nodes", node);
  const nodes = ["n1", "n2", "n3", "n4"];
  makeDirectories(directory, nodes.map(localOf));
  const accounts = writeAccountFiles(
    directory,
    (["ordinary", "another"] as const).map((kind) => {
      const home = join(directory, "home", names[kind]);
      mkdirSync(home, { mode: 0o700, recursive: true });
      chownSync(home, userFor(kind).uid, userFor(kind).gid);
      return { ...userFor(kind), name: names[kind], home };
    }),
  );
  const [controllerPort = 0, ...ports] = await freePorts(nodes.length + 1);
  const conf = join(directory, "slurm.conf");
  writeFileSync(
    conf,
    slurmConf({
      directory,
      host: hostname().replace(/\..*/, ""),
      controllerPort,
      nodes: nodes.map((name, i) => ({ name, port: ports[i] ?? 0 })),
      cpus,
      lines: options.lines?.({ directory, local }) ?? [],
    }),
  );
  const munge = join(directory, "munge");
  writeFileSync(join(munge, "key"), randomBytes(128), { mode: 0o400 });
  const env = { SLURM_CONF: conf };

  const base = `${mountAccounts(accounts)} && mount -t proc proc /proc`;
  const commands = [
    `munged --force --key-file='${munge}/key' --socket='${mungeSocket(directory)}' --pid-file='${munge}/pid' --log-file='${munge}/log' --seed-file='${munge}/seed'`,
    `slurmctld -D -c -f '${conf}' &`,
    ...nodes.map((node) => `${nodeCommand(node, { local, own: localOf(node), conf })} &`),
    "wait",
    // Nodes may be started anew.
    "sleep infinity",
  ];
  const argv = ["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"];
  const log = join(directory, "daemons.log");
  const daemons = execa("setpriv", [...argv, "sh", "-c", `${base}\n${commands.join("\n")}`], {
    reject: false,
    cwd: "/",
    env: { PATH: systemPath },
    extendEnv: false,
    stdin: "ignore",
    stdout: { file: log },
    stderr: { file: log },
  });
  const stop = async () => {
    daemons.kill("SIGKILL");
    await daemons;
    rmSync(directory, { recursive: true, force: true });
  };
  atTheEnd(stop);

  const clientArgv: SlurmCluster["argv"] = (command, { as = "ordinary", cwd = "/" } = {}) => {
    const { uid, gid } = userFor(as);
    const become = `setpriv --reuid ${uid} --regid ${gid} --clear-groups`;
    const script = `${mountAccounts(accounts)} && cd "$0" && exec ${as === "root" ? "" : become} "$@"`;
    return ["unshare", "--mount", "sh", "-c", script, cwd, ...command];
  };
  const run: SlurmCluster["run"] = (command, { as = "ordinary", ...how } = {}) => {
    const home = as === "root" ? {} : { HOME: join(directory, "home", names[as]) };
    return runArgv(clientArgv(command, { as, cwd: how.cwd ?? "/" }), {
      ...how,
      as: "root",
      cwd: "/",
      env: { ...env, ...home, ...how.env },
    });
  };
  const slurm = async (command: readonly [string, ...string[]]) => {
    const { stdout, stderr, exitCode } = await run(command, { as: "root" });
    if (exitCode === 0) return stdout.trim();
    throw new Error(`${command.join(" ")} failed: ${stderr}`);
  };
  const pidOf = async (node: string) => {
    const { stdout } = await execa("pgrep", ["-f", `^slurmd -D -N ${node} -f ${conf}`], {
      reject: false,
    });
    return Number(stdout.split("\n")[0]);
  };
  const cluster: SlurmCluster = {
    directory,
    nodes,
    local,
    localOf,
    shared,
    homeOf: (kind) => (kind === "root" ? "/root" : join(directory, "home", names[kind])),
    run,
    stageRootfs: (args, how) => run(stageRootfsArgv(args), how),
    argv: clientArgv,
    env,
    stateOf: (node) => slurm(["sinfo", "--noheader", `--nodes=${node}`, "--format=%T"]),
    killNode: async (node) => {
      const pid = await pidOf(node);
      if (!pid) throw new Error(`No slurmd of ${node} is running.`);
      await execa("pkill", ["-KILL", "-P", String(pid)], { reject: false });
      process.kill(pid, "SIGKILL");
    },
    startNode: async (node) => {
      const { stdout: init } = await execa("pgrep", ["-P", String(daemons.pid)]);
      const enter = ["--target", init.trim(), "--mount", "--pid", "sh", "-c"];
      const command = `${nodeCommand(node, { local, own: localOf(node), conf })} >>'${log}' 2>&1 &`;
      await execa("nsenter", [...enter, command], { env: { PATH: systemPath }, extendEnv: false });
    },
    settled: async () => {
      await until(async () => (await slurm(["squeue", "--all", "--noheader"])) === "", "is idle");
    },
    stop,
  };
  await until(async () => {
    const { stdout } = await run(["sinfo", "--noheader", "--format=%T %D"], { as: "root" });
    return stdout.trim() === `idle ${nodes.length}`;
  }, `is up (see ${log})`);
  return cluster;
}

/** Daemons are in places that not every user's PATH has. */
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function nodeCommand(node: string, place: { local: string; own: string; conf: string }): string {
  const { local, own, conf } = place;
  const inside = `mount --bind '${own}' '${local}' && exec slurmd -D -N ${node} -f ${conf}`;
  return `unshare --mount sh -c "${inside}"`;
}

function makeDirectories(directory: string, ofNodes: readonly string[]): void {
  const closed = ["state", "spool", "munge", "home"].map((name) => join(directory, name));
  const open = [...ofNodes, join(directory, "local"), join(directory, "shared")];
  for (const path of [...closed, ...open]) mkdirSync(path, { recursive: true });
  for (const path of closed) chmodSync(path, 0o755);
  for (const path of open) chmodSync(path, 0o1777);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  const ports = await Promise.all(
    servers.map(async (server) => {
      if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
      const address = server.address();
      if (typeof address !== "object" || address === null) throw new Error("There is no port.");
      return address.port;
    }),
  );
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.close(() => resolve(undefined)))),
  );
  return ports;
}

/** Long enough for hundreds of jobs on a busy machine, in milliseconds. */
const patience = 240_000;

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
    if (await condition()) return;
  }
  throw new Error(`After ${patience / 1000} s, it is not so that Slurm ${what}.`);
}
