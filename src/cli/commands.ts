import type { CommandName } from "./command-names.js";
import { cacheOptions, imageLimits, registryOptions, stagingOptions } from "./option-groups.js";
import type { CommandLine, OptionName } from "./options.js";

/** What words a command takes beside its options. */
export interface WordRule {
  /** What one is, for messages: `image`. */
  readonly what: string;
  readonly least: number;
  readonly most: number;
}

const oneImage: WordRule = { what: "image", least: 1, most: 1 };

const anyImages: WordRule = { what: "image", least: 0, most: Number.POSITIVE_INFINITY };

/** One command of the command line. */
export interface Command {
  readonly name: CommandName | "";
  readonly words: WordRule;
  /** What follows `stage-rootfs` in the synopsis. */
  readonly synopsis: string;
  readonly summary: string;
  readonly options: readonly OptionName[];
  /** What options do here, where that is not what they do elsewhere. */
  readonly meanings?: Partial<Readonly<Record<OptionName, string>>>;
  /** What options are called with here, likewise. */
  readonly forms?: Partial<Readonly<Record<OptionName, string>>>;
  /** What is to be said beside, as whole lines. */
  readonly notes?: string;
  readonly example: string;
  /** @returns the exit status */
  readonly run: (line: CommandLine) => Promise<number>;
}

const runtimeOptions = [
  "runtime",
  "bwrap",
  "apptainer",
  "podman",
  "docker",
  "native",
] as const satisfies readonly OptionName[];

const launchOptions = [
  "bind",
  "ro-bind",
  "tmpfs",
  "input",
  "output",
  "env",
  "chdir",
  "user",
  "uid-0",
  "cap-drop",
  "hostname",
  "network",
  "writable",
  "gpu",
  ...runtimeOptions,
  "native-path",
] as const satisfies readonly OptionName[];

/** Statuses that come from the sandbox and what runs in it. */
const runNotes = `Exit status: CMD's own, and 128+N where signal N ended it; 124 where it ended after --timeout, 125
where the sandbox could not be started, 126 where CMD is not executable, 127 where it is not there;
otherwise as below.`;

const runInInstance = "run in that instance of Apptainer's, which was started before";

const runOptions = ["timeout", "grace"] as const satisfies readonly OptionName[];

const warmOptions = [
  "file",
  "retry",
  "budget",
  "pack",
  "from",
  "nice",
] as const satisfies readonly OptionName[];

const fleetOptions = [
  "slurm",
  "nodes",
  "partition",
  "fan-in",
  "start-within",
  "node-program",
  "via",
  "share",
] as const satisfies readonly OptionName[];

const warmNotes = `Images are staged in the order in which they are named; one that fails keeps none of the others from
being staged. For each that is ready there is a line on stdout: staged or hit (it stood already), its
key, its size unpacked, the time it took, and IMAGE. --retry is for registries that fail and for what
others hold. --nice needs ionice (util-linux) for the disk, and an I/O scheduler that heeds it.

With --slurm each node does this by a step of its own, with the same options; inside a job, on the
job's nodes. On stdout there is a line for each way in which nodes ended (warm: all images stood
already, staged, partial, failed), with the nodes; see docs/warming.md.

Exit status: 0 where all images are ready (those that --budget leaves out don't count), 1 where some
are not; where none is, that of the first one's error, as below.`;

/** The command without a name comes first. Each is loaded when it is called. */
export const commands: readonly [Command, ...Command[]] = [
  {
    name: "",
    words: oneImage,
    synopsis: "IMAGE",
    summary: "stage IMAGE and print the path of its rootfs",
    options: [...stagingOptions, "version"],
    example: "ROOTFS=$(stage-rootfs image.tar)",
    run: async (line) => (await import("./stage-command.js")).stageCommand(line),
  },
  {
    name: "run",
    words: oneImage,
    synopsis: "run IMAGE [-- CMD...]",
    summary: "stage IMAGE and run CMD, or the image's own command, in a sandbox",
    options: [...stagingOptions, ...launchOptions, "tty", ...runOptions, "instance"],
    meanings: { instance: runInInstance },
    notes: runNotes,
    example: "stage-rootfs run image.tar --bind /scratch:/data -- /bin/sh -c 'ls /data'",
    run: async (line) => (await import("./run-command.js")).runCommand(line),
  },
  {
    name: "shell",
    words: oneImage,
    synopsis: "shell IMAGE",
    summary: "stage IMAGE and open a shell in its sandbox, at this terminal",
    options: [...stagingOptions, ...launchOptions, ...runOptions, "instance"],
    meanings: { instance: runInInstance },
    notes: runNotes.replaceAll("CMD", "the shell"),
    example: "stage-rootfs shell image.tar --output results",
    run: async (line) => (await import("./shell-command.js")).shellCommand(line),
  },
  {
    name: "command",
    words: oneImage,
    synopsis: "command IMAGE [-- CMD...]",
    summary: "stage IMAGE and print the command that would run CMD in a sandbox",
    options: [
      ...stagingOptions,
      ...launchOptions,
      "instance",
      "script",
      "slurm",
      "sbatch",
      "attach",
      "partition",
      "slurm-arg",
      "node-program",
    ],
    meanings: {
      slurm: "stage nothing here: print an srun that does it on a node, and runs CMD there",
      partition: "with --slurm: this partition",
    },
    example: 'eval "$(stage-rootfs command image.tar -- /bin/true)"',
    run: async (line) => (await import("./command-command.js")).commandCommand(line),
  },
  {
    name: "inspect",
    words: oneImage,
    synopsis: "inspect IMAGE",
    summary: "print what IMAGE says of itself, and what of it is in the cache",
    options: [
      ...cacheOptions,
      "lab",
      "platform",
      "owner",
      "keep-setuid",
      ...imageLimits,
      ...registryOptions,
      "json",
      "help",
    ],
    example: "stage-rootfs inspect docker://debian:12",
    run: async (line) => (await import("./inspect-command.js")).inspectCommand(line),
  },
  {
    name: "warm",
    words: anyImages,
    synopsis: "warm IMAGE... [-f FILE]",
    summary: "stage many images, and say of each whether it is ready",
    options: [
      ...stagingOptions.filter((name) => name !== "trace"),
      ...warmOptions,
      ...fleetOptions,
    ],
    meanings: {
      lease: "protect the images for job, process, pid:PID, job:ID or a time (default: none)",
      deadline: "how long all of it may take; what is finished stays (default: no limit)",
      json: "print what happens as it happens, a JSON object a line",
      slurm: "do it on Slurm's nodes: those of --nodes or --partition, else of this job",
    },
    notes: warmNotes,
    example: "stage-rootfs warm -f images.txt --budget 50G",
    run: async (line) => (await import("./warm-command.js")).warmCommand(line),
  },
  {
    name: "ls",
    words: anyImages,
    synopsis: "ls [IMAGE|KEY...]",
    summary: "list what is in the cache",
    options: [
      "lab",
      "cache-dir",
      "config",
      "target",
      "trust-owner",
      "leases",
      "json",
      "quiet",
      "help",
    ],
    example: "stage-rootfs ls --leases",
    run: async (line) => (await import("./ls-command.js")).lsCommand(line),
  },
  {
    name: "du",
    words: { what: "image", least: 0, most: 0 },
    synopsis: "du",
    summary: "count what the cache takes on disk, and what is shared",
    options: ["cache-dir", "config", "target", "trust-owner", "json", "quiet", "help"],
    example: "stage-rootfs du",
    run: async (line) => (await import("./du-command.js")).duCommand(line),
  },
  {
    name: "rm",
    words: anyImages,
    synopsis: "rm IMAGE|KEY|PATH...",
    summary: "remove images that nobody uses from the cache",
    options: [
      "lab",
      "cache-dir",
      "config",
      "target",
      "all",
      "force",
      "wait",
      "json",
      "progress",
      "quiet",
      "help",
    ],
    meanings: {
      all: "all images that nobody uses, and all layers",
      wait: "how long to wait for whoever stages such an image (default: 0)",
    },
    example: "stage-rootfs rm image.tar",
    run: async (line) => (await import("./rm-command.js")).rmCommand(line),
  },
  {
    name: "release",
    words: anyImages,
    synopsis: "release [IMAGE|KEY|PATH...]",
    summary: "give up the leases of this job or process",
    options: [
      "lab",
      "cache-dir",
      "config",
      "target",
      "trust-owner",
      "lease",
      "all",
      "json",
      "quiet",
      "help",
    ],
    meanings: {
      lease: "job, process, pid:PID, job:ID, or as ls shows it (default: job, else process)",
      all: "everybody's leases",
    },
    example: "stage-rootfs release --lease job",
    run: async (line) => (await import("./release-command.js")).releaseCommand(line),
  },
  {
    name: "gc",
    words: { what: "word", least: 0, most: 0 },
    synopsis: "gc",
    summary: "remove what nobody needs from the cache, and more to reach a goal",
    options: [
      "cache-dir",
      "config",
      "target",
      "max-size",
      "min-free",
      "max-age",
      "keep-last",
      "min-age",
      "slurm",
      "dry-run",
      "wait",
      "metrics",
      "json",
      "quiet",
      "help",
    ],
    meanings: { wait: "how long to wait for another gc (default: no limit)" },
    example: "stage-rootfs gc --max-size 200G --min-free 10% --dry-run",
    run: async (line) => (await import("./gc-command.js")).gcCommand(line),
  },
  {
    name: "verify",
    words: anyImages,
    synopsis: "verify [IMAGE|KEY|PATH...]",
    summary: "compare what the cache has with what was staged, file by file",
    options: [
      "all",
      "sample",
      "seed",
      "repair",
      "lab",
      "cache-dir",
      "config",
      "target",
      "trust-owner",
      "jobs",
      "wait",
      "json",
      "progress",
      "quiet",
      "help",
    ],
    meanings: {
      all: "all that the cache has, also layers that no image needs",
      jobs: "read up to N files side by side (default: one per CPU)",
      wait: "how long to wait for whoever changes what seems damaged (default: 60)",
    },
    example: "stage-rootfs verify --all --sample 5%",
    run: async (line) => (await import("./verify-command.js")).verifyCommand(line),
  },
  {
    name: "doctor",
    words: { what: "word", least: 0, most: 0 },
    synopsis: "doctor",
    summary: "say what this node can do, and what to do about what it can't",
    options: [
      "cache-dir",
      "config",
      "target",
      "trust-owner",
      "allow-disk",
      ...runtimeOptions,
      "json",
      "quiet",
      "help",
    ],
    meanings: {
      runtime: "look at this one only (default: all)",
      quiet: "only what does not work",
    },
    notes:
      "Exit status: 0 where images can be staged here and a runtime that isolates works; 125 where no\nsuch runtime works; where images can't be staged, the status that staging would end with.",
    example: "stage-rootfs doctor",
    run: async (line) => (await import("./doctor-command.js")).doctorCommand(line),
  },
  {
    name: "generate",
    words: { what: "file", least: 0, most: Number.POSITIVE_INFINITY },
    synopsis: "generate [WHAT [IMAGE...] [-- CMD...]]",
    summary: "print a file for Slurm or systemd, or list which ones there are",
    options: [
      "output",
      "cache-dir",
      "config",
      "allow-disk",
      "authfile",
      "deadline",
      "instance",
      "max-size",
      "min-free",
      "max-age",
      "min-age",
      "keep-last",
      "help",
    ],
    forms: { output: "--output PATH" },
    meanings: {
      output: "write it there; units of systemd's into that directory",
      "cache-dir": "the cache of all users; users' own are below DIR-users",
      authfile: "logins for images that root may stage for all users (default: none)",
      deadline: "how long images may be staged",
      instance: "what the instance is called",
    },
    notes: `WHAT is slurm-prolog, slurm-task-prolog, slurm-epilog, sbatch, instance or systemd. Each script has its
options as variables at the top, and those given here are filled in; an option that WHAT has no use for
is refused, with those that it takes. IMAGE is what a job stages; for slurm-prolog, patterns of images
that root may stage for all users; for systemd, images to have at boot.`,
    example:
      "stage-rootfs generate slurm-prolog 'docker://registry.example.org/*' --output /etc/slurm/prolog",
    run: async (line) => (await import("./generate-command.js")).generateCommand(line),
  },
];

/** The command that a first word names; undefined when it is no command's name. */
export function findCommand(word: string | undefined): Command | undefined {
  return commands.find(({ name }) => name !== "" && name === word);
}
