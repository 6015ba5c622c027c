import { stagingOptions } from "../option-groups.js";
import type { OptionName } from "../options.js";
import { anyImages, type Command } from "./command.js";

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

/** Commands that prepare one node or many for jobs. */
export const fleetCommands: readonly Command[] = [
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
    run: async (line) => (await import("../warm-command.js")).warmCommand(line),
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
    run: async (line) => (await import("../generate-command.js")).generateCommand(line),
  },
];
