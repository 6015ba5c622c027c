#!/bin/sh
# A job that keeps an instance of Apptainer's, for one command after another.
#
# Submit it with sbatch. How it goes is in its output, and in STATUS_FILE, which has one line:
# INSTANCE_READY, INSTANCE_FAILED with the reason, or INSTANCE_STOPPED. When it is ready:
#
#   srun --jobid=JOB --overlap --pty apptainer exec instance://NAME /bin/sh
#
# It ends with scancel, at the job's time limit, or when the instance is stopped.
#
#SBATCH --job-name=stage-rootfs-instance
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --time=08:00:00
#SBATCH --output=%x-%j.out

# The Node that runs the program, and the program, as the nodes have them.
NODE=node
STAGE_ROOTFS=/usr/local/bin/stage-rootfs
IMAGE=docker://debian:12
NAME=stage-rootfs
# The job's directory unless it is an absolute path. Others see it where the disk is a shared one.
STATUS_FILE=$NAME-$SLURM_JOB_ID.status
# The cache, on a disk of the node; the program's own choice unless given.
CACHE_DIR=
# A configuration to use, and kinds of disks to allow (tmpfs,nfs); neither unless given.
CONFIG=
ALLOW_DISK=
# How long the image may be staged, in seconds. What is finished by then is kept.
DEADLINE=600
# Options of `stage-rootfs command`, such as --bind /data:/data --writable.
set --

set -u
[ -z "$ALLOW_DISK" ] || export STAGE_ROOTFS_ALLOW_DISK="$ALLOW_DISK"
[ -z "$CACHE_DIR" ] || export STAGE_ROOTFS_CACHE_DIR="$CACHE_DIR"
[ -z "$CONFIG" ] || export STAGE_ROOTFS_CONFIG="$CONFIG"

# Whoever reads the file sees a whole line.
tell() {
  echo "$1"
  echo "$1" >"$STATUS_FILE.new" && mv -f "$STATUS_FILE.new" "$STATUS_FILE"
}

# Runs start, stop or list, as the program has planned them, and not through a shell: what the
# image has in its environment stays words.
instance() {
  # shellcheck disable=SC2016 # it is JavaScript
  printf '%s' "$plan" | "$NODE" -e '
    const { start, stop, instance } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const list = { ...stop, argv: [stop.argv[0], "--quiet", "instance", "list", instance] };
    const { argv, env } = { start, stop, list }[process.argv[1]];
    const stdio = ["ignore", "inherit", "inherit"];
    const { status } = require("child_process").spawnSync(argv[0], argv.slice(1), { env, stdio });
    process.exit(status ?? 1);
  ' "$1"
}

# A name in the list may only begin as this one does.
is_there() {
  instance list | awk -v name="$NAME" 'NR > 1 && $1 == name { n++ } END { exit !n }'
}

end() {
  trap '' TERM INT
  instance stop
  tell INSTANCE_STOPPED
  exit 0
}

prepare() {
  "$NODE" "$STAGE_ROOTFS" command "$IMAGE" --quiet --deadline "$DEADLINE" --instance "$NAME" "$@"
}

said=$(mktemp) || exit
# This one stages the image, and says in words what goes wrong.
prepare "$@" >/dev/null 2>"$said" && plan=$(prepare "$@" --json 2>"$said")
status=$?
trap end TERM INT
if [ "$status" = 0 ]; then
  instance start >"$said" 2>&1
  status=$?
fi
if [ "$status" != 0 ]; then
  cat "$said" >&2
  tell "INSTANCE_FAILED $(tail -n 1 "$said")"
  rm -f "$said"
  exit "$status"
fi
rm -f "$said"
tell INSTANCE_READY

while is_there; do
  # A signal is heard while it waits, and not while a program runs in the foreground.
  sleep 10 &
  wait $!
done
tell INSTANCE_STOPPED
