/** What of a command line can be filled in, beside options. */
export type Words =
  | { readonly images: "none" }
  /** One image, and with `command` what is to run in it. */
  | { readonly images: "one"; readonly variable: string; readonly command: boolean }
  /** Any number. */
  | { readonly images: "many"; readonly variable: string };

/** Something that can be generated. A new one is an entry in {@link templates}, and its files. */
export interface Template {
  readonly name: string;
  readonly summary: string;
  /** Files of the package's `templates` directory. Several are units of systemd's. */
  readonly files: readonly [string, ...string[]];
  /** Which variables at the top each option sets. */
  readonly options: Readonly<Record<string, readonly string[]>>;
  /** The variables that take the limits of gc. */
  readonly limits: readonly string[];
  readonly words: Words;
}

const place = { "cache-dir": ["CACHE_DIR"], config: ["CONFIG"] };

const staging = { ...place, "allow-disk": ["ALLOW_DISK"], deadline: ["DEADLINE"] };

export const templates: readonly Template[] = [
  {
    name: "slurm-prolog",
    summary: "Slurm's Prolog: stages a job's image before the job starts",
    files: ["slurm-prolog.sh"],
    options: { ...staging, authfile: ["AUTHFILE"] },
    limits: [],
    words: { images: "many", variable: "SHARED_IMAGES" },
  },
  {
    name: "slurm-task-prolog",
    summary: "Slurm's TaskProlog: tells a job's tasks where its image stands",
    files: ["slurm-task-prolog.sh"],
    options: staging,
    limits: [],
    words: { images: "none" },
  },
  {
    name: "slurm-epilog",
    summary: "Slurm's Epilog: gives up a job's leases, and clears up idle nodes",
    files: ["slurm-epilog.sh"],
    options: place,
    limits: ["SHARED_LIMITS", "USER_LIMITS"],
    words: { images: "none" },
  },
  {
    name: "sbatch",
    summary: "a job that runs a command in an image",
    files: ["sbatch.sh"],
    options: staging,
    limits: [],
    words: { images: "one", variable: "IMAGE", command: true },
  },
  {
    name: "instance",
    summary: "a job that keeps an instance of Apptainer's",
    files: ["instance.sh"],
    options: { ...staging, instance: ["NAME"] },
    limits: [],
    words: { images: "one", variable: "IMAGE", command: false },
  },
  {
    name: "systemd",
    summary: "units that clear up by a timer, and stage images at boot",
    files: ["stage-rootfs-gc.service", "stage-rootfs-gc.timer", "stage-rootfs-warm.service"],
    options: { ...place, "allow-disk": ["ALLOW_DISK"] },
    limits: ["LIMITS"],
    words: { images: "many", variable: "IMAGES" },
  },
];
