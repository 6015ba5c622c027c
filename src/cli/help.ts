import type { Command } from "./commands/command.js";
import { commands } from "./commands.js";
import type { OptionName } from "./options.js";

/** What each option is called with, and what it does. */
const optionHelp: Readonly<Record<OptionName, readonly [form: string, meaning: string]>> = {
  "cache-dir": ["--cache-dir DIR", "the cache to use"],
  config: ["--config FILE", "the configuration to use"],
  target: ["--target NAME", "which of the configuration's targets is meant"],
  shared: ["--shared", "make a new cache that everybody may read, and nobody else write to"],
  "trust-owner": [
    "--trust-owner UID",
    "trust that user's shared cache, as root's; repeat for more",
  ],
  "allow-disk": ["--allow-disk KIND", "allow a cache on nfs, tmpfs, fuse, ...; repeat for more"],
  lab: ["--lab LAB", "IMAGE is the name of an image of that RepX Lab"],
  platform: ["--platform OS/ARCH[/VARIANT]", "which platform's image (default: this machine's)"],
  mount: ["--mount TARGET[:dir|file]", "make another mount point; repeat it for more"],
  "nix-store": ["--nix-store", "prepare /nix/store; run and command mount the host's there"],
  owner: ["--owner image|squash", "whose the files are, for root (default: image)"],
  "keep-setuid": ["--keep-setuid", "keep setuid and setgid bits"],
  "file-digests": [
    "--file-digests crc32|sha256|none",
    "by what verify will know files (default: crc32)",
  ],
  jobs: ["--jobs N", "unpack and fetch up to N layers side by side (default: one per CPU)"],
  wait: ["--wait SECONDS", "how long to wait for another's staging (default: no limit)"],
  deadline: [
    "--deadline SECONDS",
    "how long staging may take, waits included; what is finished stays (default: no limit)",
  ],
  fsync: ["--fsync", "write the image to disk before showing it (default)"],
  "no-fsync": ["--no-fsync", "don't: a bit faster, and staged again after the next boot"],
  gc: ["--gc", "remove unused images when the disk lacks room (default: auto_gc, else no)"],
  lease: [
    "--lease WHAT",
    "protect the entry for job, process, pid:PID, job:ID, a time (8h), or none",
  ],
  "max-layers": ["--max-layers N", "layers of an image (default: 1000)"],
  "max-document": ["--max-document BYTES", "size of a manifest, index or config (default: 16M)"],
  "max-entries": ["--max-entries N", "entries of a layer (default: 10000000)"],
  "max-unpacked": ["--max-unpacked BYTES", "file content of a layer (default: 1T)"],
  "max-file": ["--max-file BYTES", "size of a file (default: 1T)"],
  "max-record": ["--max-record BYTES", "names and attributes kept on record (default: 256M)"],
  "max-depth": ["--max-depth N", "components of a path (default: 1024, at most 4096)"],
  "max-ratio": ["--max-ratio N", "how far a layer may be compressed (default: 500 to 1)"],
  authfile: ["--authfile FILE", "logins of registries (default: podman's and docker's)"],
  "registries-conf": ["--registries-conf FILE", "mirrors (default: podman's registries.conf)"],
  "cert-dir": ["--cert-dir DIR", "CAs and client certificates for the registry"],
  "insecure-registry": ["--insecure-registry HOST[:PORT]", "do without TLS there; repeat for more"],
  "short-names": ["--short-names", "look names without a host up in registries.conf"],
  "allow-foreign-layers": ["--allow-foreign-layers", "fetch layers from where they say they are"],
  offline: ["--offline", "ask no registry: take only what the cache has"],
  "max-staleness": ["--max-staleness SECONDS", "how long to believe what a tag meant (default: 0)"],
  file: ["-f, --file FILE", "read images from FILE, one a line; - is stdin; repeat for more"],
  retry: ["--retry N", "try what may do better later up to N times again (default: 0)"],
  budget: ["--budget SIZE", "leave out what makes the images larger than SIZE unpacked, as 50G"],
  pack: ["--pack DIR", "stage nothing: write each image into DIR as one verified file"],
  from: ["--from DIR", "take images from what --pack has written into DIR, where it has them"],
  nice: ["--nice", "leave processors and disk to others (ionice -c 3, nice 19)"],
  nodes: ["--nodes LIST", "with --slurm: these nodes, as Slurm writes them: n[1-3],gpu7"],
  partition: ["--partition NAME", "with --slurm: this partition, or --nodes of it"],
  "fan-in": ["--fan-in N", "with --slurm: at most N nodes at the same time (default: 64)"],
  "start-within": [
    "--start-within SECONDS",
    "with --slurm: how long a node may take to begin (default: 120)",
  ],
  "node-program": [
    "--node-program PATH",
    "with --slurm: stage-rootfs on the nodes (default: where it is here)",
  ],
  via: [
    "--via registry|sbcast|shared",
    "with --slurm: each node reads IMAGE itself (default), or it is read once",
  ],
  share: ["--share DIR", "with --via shared: where the images lie meanwhile; all nodes see it"],
  leases: ["--leases", "show each lease on a line of its own"],
  all: ["--all", "all of them"],
  force: ["--force", "remove what is leased too: it breaks for whoever uses it"],
  bind: ["--bind SRC:DST[:ro|rw]", "mount SRC of the host at DST, read-write unless :ro"],
  "ro-bind": ["--ro-bind SRC:DST", "mount SRC of the host at DST, read-only"],
  tmpfs: ["--tmpfs DST", "mount an empty directory at DST, in memory; repeat it for more"],
  input: ["--input PATH[:DST]", "mount PATH of the host read-only, at the same place or at DST"],
  output: ["--output DIR[:DST]", "mount DIR read-write, have $out name it, and start there"],
  env: ["--env NAME=VALUE", "set an environment variable; repeat it for more"],
  chdir: ["--chdir DIR", "start in DIR (default: --output's, else the image's WorkingDir)"],
  user: ["--user UID[:GID]", "be that user inside (default: who calls)"],
  "uid-0": ["--uid-0", "be root inside, of a user namespace that has no other user"],
  "cap-drop": ["--cap-drop CAP", "do without a capability, or ALL; repeat it for more"],
  hostname: ["--hostname NAME", "the host's name inside (default: as outside)"],
  network: ["--network none|host", "which network the command sees (default: none)"],
  writable: ["--writable", "let it write to the root; what it writes is gone at the end"],
  gpu: ["--gpu nvidia", "give access to the host's GPUs"],
  tty: ["-t, --tty", "give the command this terminal, with job control"],
  timeout: ["--timeout SECONDS", "end the command after so long, with status 124"],
  grace: ["--grace SECONDS", "how long it may take to end before it is killed (default: 10)"],
  runtime: ["--runtime NAME", "auto, bwrap, apptainer, podman, docker or native (default: auto)"],
  bwrap: ["--bwrap", "the same as --runtime bwrap"],
  apptainer: ["--apptainer", "the same as --runtime apptainer"],
  podman: ["--podman", "the same as --runtime podman"],
  docker: ["--docker", "the same as --runtime docker"],
  native: ["--native", "the same as --runtime native: no isolation at all"],
  "native-path": ["--native-path host|rootfs", "whose programs native runs (default: host)"],
  instance: [
    "--instance NAME",
    "print how an instance of Apptainer's is started, used and stopped",
  ],
  "max-size": ["--max-size SIZE", "shrink the cache to SIZE, such as 200G"],
  "min-free": ["--min-free SIZE|N%", "free so much, or such a part, of the cache's disk"],
  "max-age": ["--max-age TIME", "remove what was not used for TIME, such as 30d"],
  "keep-last": ["--keep-last N", "keep the N images used last; alone: and no other"],
  "min-age": ["--min-age TIME", "keep what was used within TIME (default: 10m)"],
  slurm: ["--slurm", "ask Slurm which jobs exist, and end the leases of the others"],
  "slurm-arg": [
    "--slurm-arg OPTION",
    "with --slurm: an option of srun's or sbatch's, as time=8:00:00; repeat for more",
  ],
  attach: ["--attach JOB", "with --slurm and --instance: run CMD in the instance that JOB keeps"],
  sbatch: ["--sbatch", "with --slurm: submit a job that runs CMD, or keeps the --instance"],
  script: ["--script", "with --instance: print a script that keeps it as long as a job lasts"],
  "dry-run": ["--dry-run", "only say what would go"],
  repair: ["--repair", "remove what is damaged, and stage it again where that is possible"],
  sample: ["--sample N%", "read N percent of the files, chosen by chance (default: all)"],
  seed: ["--seed N", "choose the same sample as before"],
  json: ["--json", "print the result, or the error, as JSON"],
  progress: [
    "--progress auto|plain|json|none",
    "what to say on stderr (auto: nothing if no terminal)",
  ],
  trace: ["--trace FILE", "write what takes how long to FILE, for Perfetto"],
  metrics: ["--metrics FILE", "add to FILE what Prometheus's node_exporter can collect"],
  quiet: ["-q, --quiet", "no progress and no warnings"],
  help: ["-h, --help", "show this help"],
  version: ["--version", "show the version"],
};

const references = `IMAGE is a file or directory: a docker-archive or oci-archive (plain, gzip or zstd), an OCI
layout, or an unpacked docker-archive, told apart by content. Or say which it is:
docker-archive:FILE[:REF], oci-archive:FILE[:REF], oci:DIR[:REF]. Or - for an archive on stdin.
Or docker://[HOST[:PORT]/]NAME[:TAG][@DIGEST] for an image of a registry. Or a RepX Lab:
repx:LAB[#NAME].`;

const places = `The cache is --cache-dir, else $STAGE_ROOTFS_CACHE_DIR, else where the configuration has it, else
/var/cache/stage-rootfs for root and /var/tmp/stage-rootfs-UID for others. The configuration is
--config, else $STAGE_ROOTFS_CONFIG, else ~/.config/stage-rootfs/config.toml, else
/etc/stage-rootfs/config.toml. STAGE_ROOTFS_DEBUG=1 adds a stack trace to errors.

Exit status: 0 done, 2 wrong usage, 65 bad image, 66 no such image, 69 the registry failed, 73 disk
full or read-only, 75 busy, 77 no permission, 78 bad configuration, 125 no sandbox, 70 a bug,
128+N stopped by signal N.`;

/** How wide the overview of commands has their calls, in characters. */
const callWidth = 42;

/** The help of one command; of the nameless one, with an overview of the others. */
export function helpText(command: Command): string {
  const isMain = command.name === "";
  const head = isMain ? "Turn an image into a root filesystem on local disk." : command.summary;
  const usage = (isMain ? commands : [command]).map(({ synopsis, summary }) => {
    const call = `stage-rootfs ${synopsis}`;
    if (!isMain) return `  ${call}`;
    return call.length <= callWidth
      ? `  ${call.padEnd(callWidth)} ${summary}`
      : `  ${call}\n${" ".repeat(callWidth + 3)}${summary}`;
  });
  const options = command.options.map((name) => {
    const [form, meaning] = optionHelp[name];
    return `  ${(command.forms?.[name] ?? form).padEnd(33)} ${command.meanings?.[name] ?? meaning}`;
  });
  const parts = [
    head,
    ["Usage:", ...usage].join("\n"),
    ["Options:", ...options].join("\n"),
    ...(command.notes === undefined ? [] : [command.notes]),
    ...(command.words.most === 0 ? [] : [references]),
    places,
    `Example:\n  ${command.example}`,
  ];
  return `${parts.join("\n\n")}\n`;
}
