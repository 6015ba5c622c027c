import {
  cacheOptions,
  imageLimits,
  registryOptions,
  runtimeOptions,
  stagingOptions,
} from "../option-groups.js";
import type { OptionName } from "../options.js";
import { type Command, oneImage } from "./command.js";

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

/** Commands about one image; the one without a name comes first. */
export const imageCommands: readonly [Command, ...Command[]] = [
  {
    name: "",
    words: oneImage,
    synopsis: "IMAGE",
    summary: "stage IMAGE and print the path of its rootfs",
    options: [...stagingOptions, "version"],
    example: "ROOTFS=$(stage-rootfs image.tar)",
    run: async (line) => (await import("../stage-command.js")).stageCommand(line),
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
    run: async (line) => (await import("../run-command.js")).runCommand(line),
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
    run: async (line) => (await import("../shell-command.js")).shellCommand(line),
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
    run: async (line) => (await import("../command-command.js")).commandCommand(line),
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
    run: async (line) => (await import("../inspect-command.js")).inspectCommand(line),
  },
];
