/** One of the nodes that share this machine. */
export interface SlurmNode {
  readonly name: string;
  readonly port: number;
}

export interface SlurmPlan {
  /** Where all that belongs to the cluster lies. */
  readonly directory: string;
  /** This machine's name. */
  readonly host: string;
  readonly controllerPort: number;
  readonly nodes: readonly SlurmNode[];
  /** How many processors each node says it has. */
  readonly cpus: number;
  /** More lines, such as `Prolog=/some/script`. */
  readonly lines: readonly string[];
}

/** The socket by which munge is reached. */
export function mungeSocket(directory: string): string {
  return `${directory}/munge/socket`;
}

/** The slurm.conf of a cluster whose nodes all run on one machine. */
export function slurmConf({ directory, host, ...plan }: SlurmPlan): string {
  const nodes = plan.nodes.map(({ name, port }) => {
    const size = `CPUs=${plan.cpus} RealMemory=4096`;
    return `NodeName=${name} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${port} ${size} State=UNKNOWN`;
  });
  return `${[
    "ClusterName=test",
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${plan.controllerPort}`,
    "SlurmUser=root",
    "AuthType=auth/munge",
    `AuthInfo=socket=${mungeSocket(directory)}`,
    `StateSaveLocation=${directory}/state`,
    `SlurmctldPidFile=${directory}/slurmctld.pid`,
    `SlurmctldLogFile=${directory}/slurmctld.log`,
    `SlurmdPidFile=${directory}/%n.pid`,
    `SlurmdLogFile=${directory}/%n.log`,
    `SlurmdSpoolDir=${directory}/spool/%n`,
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_CPU",
    "MpiDefault=none",
    "ReturnToService=2",
    "SlurmdParameters=config_overrides",
    // So that nothing waits for a turn of the scheduler.
    "SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=1",
    "PrologFlags=Alloc",
    "KillWait=5",
    ...plan.lines,
    ...nodes,
    "PartitionName=compute Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
  ].join("\n")}\n`;
}
