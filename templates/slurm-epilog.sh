#!/bin/sh
# Slurm's Epilog: gives up what the job held of images, and clears up where the node is idle.
#
# It never fails, which would drain the node.

# The Node that runs the program, and the program.
NODE=node
STAGE_ROOTFS=/usr/local/bin/stage-rootfs
# Where programs are: slurmd gives none.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# These are the prolog's.
STATE_DIR=/run/stage-rootfs
CACHE_DIR=/var/cache/stage-rootfs
CONFIG=
# What a cache is shrunk to when no job is left on the node, as options of gc: the cache of all
# users, and the one of the user whose job was the last.
SHARED_LIMITS='--min-free 10%'
USER_LIMITS='--min-free 10%'

export PATH
set -fu
umask 022
self=$(readlink -f "$0")
cd / || exit 0
echo 0 2>/dev/null >/proc/self/oom_score_adj
own=$CACHE_DIR-users/$SLURM_JOB_UID

# A command of the program's in the cache for all.
ours() {
  [ ! -d "$CACHE_DIR/v1" ] ||
    timeout --kill-after=5 "$limit" env -i HOME=/nonexistent PATH="$PATH" \
      ${SLURM_CONF:+SLURM_CONF="$SLURM_CONF"} "$NODE" "$STAGE_ROOTFS" "$@" \
      --cache-dir "$CACHE_DIR" ${CONFIG:+--config "$CONFIG"} </dev/null
}

# A command of the program's in the user's cache, with nothing of root's. Already a look into it may
# never end: what is there is the user's.
theirs() {
  # shellcheck disable=SC2016 # that shell is to expand it
  timeout --kill-after=5 "$limit" \
    setpriv --reuid "$SLURM_JOB_UID" --regid "$SLURM_JOB_GID" --init-groups --no-new-privs \
    env -i HOME=/nonexistent PATH="$PATH" ${SLURM_CONF:+SLURM_CONF="$SLURM_CONF"} \
    sh -c '[ ! -d "$0/v1" ] || exec "$@"' "$own" "$NODE" "$STAGE_ROOTFS" "$@" \
    --cache-dir "$own" ${CONFIG:+--config "$CONFIG"} </dev/null >/dev/null 2>&1
}

# Started by itself, below: one at a time.
if [ "${1-}" = gc ]; then
  # The word that this has a session of its own: whoever started it waits for that.
  exec >/dev/null 2>&1
  exec 9>"$STATE_DIR/gc.lock"
  flock --nonblock 9 || exit 0
  exec >"$STATE_DIR/gc.log" 2>&1
  limit=3600
  # shellcheck disable=SC2086 # options
  ours gc $SHARED_LIMITS 9>&-
  # shellcheck disable=SC2086 # options
  theirs gc $USER_LIMITS 9>&-
  exit 0
fi

# A prolog that was killed can have left the second.
rm -f "$STATE_DIR/$SLURM_JOB_ID" "$STATE_DIR/$SLURM_JOB_ID.new"
limit=30
ours release --quiet --lease "job:$SLURM_JOB_ID" >/dev/null 2>&1
theirs release --quiet --lease "job:$SLURM_JOB_ID"

# The prolog has a file there for each job. When this script ends, slurmd kills what it has started,
# but for what is in a session of its own by then.
if [ -z "$(find "$STATE_DIR" -mindepth 1 -name '[0-9]*' 2>/dev/null)" ] && [ -d "$STATE_DIR" ]; then
  : "$(setsid nice -n 19 ionice -c 3 "$self" gc </dev/null 2>/dev/null &)"
fi
exit 0
