#!/bin/sh
# Slurm's Prolog: has a job's image staged on the node before the job starts.
#
# A job names its image in its comment: sbatch --comment=stage-rootfs=docker://debian:12 ...
# Its tasks find the rootfs in $STAGE_ROOTFS_ROOTFS, by the task prolog that belongs to this.
#
# root runs this, and the image's name is a user's. So it is staged as that user, with nothing of
# root's in the environment, in a cache of the user's own. Only what is on SHARED_IMAGES is staged
# by root. No image, however bad, drains the node: only what root finds wrong without it does.

# The Node that runs the program, and the program.
NODE=node
STAGE_ROOTFS=/usr/local/bin/stage-rootfs
# Where programs are, Slurm's as well: slurmd gives none.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# What is known of the jobs on this node, in a directory in memory that is root's.
STATE_DIR=/run/stage-rootfs
# The cache for all users. The users' own are below CACHE_DIR-users. Both are on a disk of the node.
CACHE_DIR=/var/cache/stage-rootfs
# A configuration to use, and kinds of disks to allow (tmpfs,nfs); neither unless given.
CONFIG=
ALLOW_DISK=
# Images of registries that root stages for all, as patterns: 'docker://registry.example.org/*'.
SHARED_IMAGES=
# The logins for those. No others of root's are used.
AUTHFILE=/dev/null
# How long a job may wait for its image, in seconds. What is finished by then is kept.
DEADLINE=60
# With less room than this on the disk, in MiB, a node that can't stage counts as broken.
MIN_FREE=64

export PATH
set -fu
umask 022
self=$(readlink -f "$0")
cd / || exit 0
# slurmd's may be such that the kernel would rather end anybody else.
echo 0 2>/dev/null >/proc/self/oom_score_adj

# Drains the node, for a reason that an administrator understands.
broken() {
  reason=$(printf 'stage-rootfs: %s' "$1" | tr -cd '[:print:]' | cut -c 1-400)
  echo "$reason" >&2
  timeout 10 logger -t stage-rootfs -- "$reason" 2>/dev/null
  timeout 10 scontrol update nodename="$SLURMD_NODENAME" state=drain reason="$reason" >&2
  exit 1
}

# Leaves word for the task prolog: STATE STATUS TEXT. Nobody but root writes there.
tell() {
  new=$STATE_DIR/$SLURM_JOB_ID.new
  if (umask 077 && printf '%s\n' "$1" "$2" "$image" "$3" >"$new") &&
    chgrp "$SLURM_JOB_GID" "$new" && chmod 0440 "$new" &&
    mv -f "$new" "$STATE_DIR/$SLURM_JOB_ID"; then
    return
  fi
  broken "can't write to $STATE_DIR"
}

# Whether a directory is root's, and nobody else can write to it.
is_ours() {
  [ -n "$(find "$1" -prune -type d -user 0 ! -perm -020 ! -perm -002 2>/dev/null)" ]
}

# Becomes a command with nothing of root's, so that whoever limits its time has hold of it. Its
# directory is the job's.
as_user() {
  home=$(getent passwd "$SLURM_JOB_UID" | cut -d : -f 6)
  # shellcheck disable=SC2016 # that shell is to expand it
  exec setpriv --reuid "$SLURM_JOB_UID" --regid "$SLURM_JOB_GID" --init-groups --no-new-privs \
    env -i HOME="${home:-/}" PATH="$PATH" STAGE_ROOTFS_ALLOW_DISK="$ALLOW_DISK" \
    sh -c 'cd -- "$0" 2>/dev/null || cd /; exec "$@"' "${SLURM_JOB_WORK_DIR:-/}" "$@"
}

as_root() {
  env -i HOME=/nonexistent PATH="$PATH" STAGE_ROOTFS_ALLOW_DISK="$ALLOW_DISK" "$@"
}

# What a command says, and in a last line its status. A user who keeps it from ending, or has it say
# something else, keeps nobody waiting.
answer_of() {
  {
    timeout --kill-after=5 "$((DEADLINE + 10))" "$@" </dev/null 2>&1
    printf '\n%s\n' "$?"
  } | timeout "$((DEADLINE + 20))" head -c 8192
}

stage() {
  who=$1 cache=$2
  shift 2
  answer_of "$self" "$who" "$NODE" "$STAGE_ROOTFS" "$image" --quiet --cache-dir "$cache" \
    --deadline "$DEADLINE" --lease "job:$SLURM_JOB_ID" ${CONFIG:+--config "$CONFIG"} "$@"
}

# timeout(1) starts programs, so it starts this one again.
case ${1-} in
as_user | as_root)
  "$@"
  exit
  ;;
esac

# The first of the comment's words that names an image.
image=
IFS=' ,	
'
for word in ${SLURM_JOB_COMMENT-}; do
  case $word in stage-rootfs=*) image=${word#*=} && break ;; esac
done
IFS=' '

mkdir -p "$STATE_DIR"
is_ours "$STATE_DIR" || broken "$STATE_DIR has to be a directory that only root can write to"
# Jobs may name an image in their environment, too, which is not known here.
users=$CACHE_DIR-users
own=$users/$SLURM_JOB_UID
if mkdir -p "$users" 2>/dev/null && is_ours "$users"; then
  mkdir -m 0700 "$own" 2>/dev/null
  # Also one that a prolog left behind which was killed here. Its user can have mounted what never
  # answers on their own.
  timeout 5 chown --from=root "$SLURM_JOB_UID:$SLURM_JOB_GID" "$own" 2>/dev/null
elif [ -n "$image" ]; then
  [ -d "$users" ] || broken "can't make $users"
  broken "$users has to be a directory that only root can write to"
fi

case $image in
'') tell none 0 '' && exit 0 ;;
-*) tell failed 2 'an image can'\''t begin with a dash' && exit 0 ;;
# It would be run here, where Slurm keeps no account of it: the task prolog does that.
nix:*) tell again 75 '' && exit 0 ;;
*[:/]*) ;;
# Not to be taken for a command.
*) image=./$image ;;
esac

command -v "$NODE" >/dev/null || broken "$NODE, which runs the program, is missing"
[ -f "$STAGE_ROOTFS" ] || broken "the program is missing: $STAGE_ROOTFS"

# What root looks at when staging fails is never the user's.
who=as_user cache=$own place=$users probe=$users/root
for pattern in $SHARED_IMAGES; do
  # shellcheck disable=SC2254 # it is a pattern
  case $image in docker://*) case $image in $pattern) who=as_root cache=$CACHE_DIR place=$CACHE_DIR probe=$CACHE_DIR ;; esac ;; esac
done
if [ "$who" = as_root ]; then
  answer=$(stage as_root "$cache" --shared --authfile "$AUTHFILE")
else
  answer=$(stage as_user "$cache")
fi
status=$(printf '%s\n' "$answer" | tail -n 1)
text=$(printf '%s\n' "$answer" | head -n 1)

case $status in
0) tell ready 0 "$text" && exit 0 ;;
2 | 65 | 66) tell failed "$status" "$text" && exit 0 ;;
# Out of time, or the registry fails: the task prolog goes on.
69 | 75 | 124 | 137) tell again "$status" "$text" && exit 0 ;;
esac

# Does the node fail without this image, and for root, too?
found=$(as_root timeout 30 "$NODE" "$STAGE_ROOTFS" doctor --quiet --native --cache-dir "$probe" \
  ${CONFIG:+--config "$CONFIG"} 2>&1)
# Where jobs leave it no time or no memory it has found nothing.
case $? in
0 | 124 | 125 | 1[3-9]?) ;;
*) broken "$(printf '%s\n' "$found" | sed -n '1s/^no  *cache  *//;1p')" ;;
esac
free=$(timeout 10 df -Pk "$place/." 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }')
if [ "${free:-$MIN_FREE}" -lt "$MIN_FREE" ]; then
  broken "the disk of $place is full: $free MiB are left"
fi
tell again "$status" "$text"
