#!/bin/sh
# A job that runs a command in an image, in each of its tasks.
#
#SBATCH --job-name=stage-rootfs
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --time=01:00:00
#SBATCH --output=%x-%j.out

# The Node that runs the program, and the program, as the nodes have them.
NODE=node
STAGE_ROOTFS=/usr/local/bin/stage-rootfs
IMAGE=docker://debian:12
# The cache, on a disk of each node; the program's own choice unless given.
CACHE_DIR=
# A configuration to use, and kinds of disks to allow (tmpfs,nfs); neither unless given.
CONFIG=
ALLOW_DISK=
# How long the nodes may stage the image, in seconds. What is finished by then is kept.
DEADLINE=600
# What each task runs in the image; the image's own command unless given.
set --

set -u
[ -z "$ALLOW_DISK" ] || export STAGE_ROOTFS_ALLOW_DISK="$ALLOW_DISK"
[ -z "$CACHE_DIR" ] || export STAGE_ROOTFS_CACHE_DIR="$CACHE_DIR"
[ -z "$CONFIG" ] || export STAGE_ROOTFS_CONFIG="$CONFIG"

# Runs a command once on each node.
on_each_node() {
  srun --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 "$@"
}

# It takes milliseconds where the prolog has staged it.
on_each_node "$NODE" "$STAGE_ROOTFS" "$IMAGE" --quiet --deadline "$DEADLINE" >/dev/null || exit

srun "$NODE" "$STAGE_ROOTFS" run "$IMAGE" --quiet ${1+-- "$@"}
status=$?

# An epilog would do that, too.
on_each_node "$NODE" "$STAGE_ROOTFS" release --quiet >/dev/null
exit "$status"
