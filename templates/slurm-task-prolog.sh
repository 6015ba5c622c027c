#!/bin/sh
# Slurm's TaskProlog: tells a job's tasks where its image stands, or why it does not.
#
# The image is $STAGE_ROOTFS_IMAGE where the task's environment has it, else that of the job's
# comment, which the prolog has staged. Its rootfs is in $STAGE_ROOTFS_ROOTFS. Without one the
# reason is in the task's output, and the task fails.
#
# The job's user runs this. Slurm reads what it prints: `export NAME=VALUE` and `print TEXT`.

# The Node that runs the program, and the program.
NODE=node
STAGE_ROOTFS=/usr/local/bin/stage-rootfs
# These are the prolog's.
STATE_DIR=/run/stage-rootfs
CACHE_DIR=/var/cache/stage-rootfs
CONFIG=
ALLOW_DISK=
# How long to stage what the prolog had no time for, or did not know of, in seconds.
DEADLINE=600

set -u
newline='
'

# Says why, once for each node, and has the task fail.
fail() {
  [ "${SLURM_LOCALID:-0}" != 0 ] || printf 'print %s\n' "stage-rootfs: ${2#stage-rootfs: }"
  case $1 in '' | 0 | *[!0-9]*) exit 1 ;; esac
  exit "$1"
}

found() {
  # Others of the job's commands find it there, too.
  printf 'export %s\n' "STAGE_ROOTFS_ROOTFS=$1" "STAGE_ROOTFS_IMAGE=$image" \
    "STAGE_ROOTFS_CACHE_DIR=${1%/v1/rootfs/*}"
  exit 0
}

state=none status=0 image='' text=''
if [ -r "$STATE_DIR/$SLURM_JOB_ID" ]; then
  {
    IFS= read -r state && IFS= read -r status && IFS= read -r image && IFS= read -r text
  } <"$STATE_DIR/$SLURM_JOB_ID"
fi
wanted=${STAGE_ROOTFS_IMAGE:-$image}
[ "$wanted" = "$image" ] || state=again
image=$wanted

case $state in
none) exit 0 ;;
failed) fail "$status" "$text" ;;
ready) [ ! -d "$text" ] || found "$text" ;;
esac

case $image in
'' | -*) fail 2 "an image can't begin with a dash" ;;
*[:/]*) ;;
# Not to be taken for a command.
*) image=./$image ;;
esac
[ -z "$ALLOW_DISK" ] || export STAGE_ROOTFS_ALLOW_DISK="$ALLOW_DISK"
text=$(timeout --kill-after=5 "$((DEADLINE + 10))" "$NODE" "$STAGE_ROOTFS" "$image" --quiet \
  --cache-dir "$CACHE_DIR-users/$(id -u)" --deadline "$DEADLINE" \
  --lease "job:$SLURM_JOB_ID" \
  ${CONFIG:+--config "$CONFIG"} </dev/null 2>&1)
status=$?
# Node has warnings of its own, as for $NODE_EXTRA_CA_CERTS, and Slurm takes each line for a word.
text=${text##*"$newline"}
case $status in
0) found "$text" ;;
124) fail 75 "$image was not staged within $DEADLINE s" ;;
*) fail "$status" "${text:-$image could not be staged: status $status}" ;;
esac
