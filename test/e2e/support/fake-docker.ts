import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freshCacheDir } from "./cache-dir.js";
import { userFor } from "./users.js";

// It starts no container: it says what it was asked for, and runs nothing.
const script = `#!/bin/sh
state=$(dirname "$0")
case "$1 $2" in
  "--version ") echo "Docker version 99.0.0, build fake" ;;
  "version "*)
    [ ! -e "$state/stopped" ] && { echo 99.0.0; exit; }
    echo "Cannot connect to the Docker daemon at unix:///fake.sock. Is the docker daemon running?" >&2
    exit 1 ;;
  "image inspect") grep -qxF -e "$5" "$state/images" 2>/dev/null ;;
  "load --quiet")
    echo "$4" >>"$state/loaded"
    [ -e "$state/forgetful" ] || cat "$state/ids" >>"$state/images"
    echo "fake docker: loaded $4" ;;
  "run "*)
    printf 'fake docker: run'
    shift
    for word; do printf ' [%s]' "$word"; done
    echo "; GREETING=$GREETING DOCKER_HOST=$DOCKER_HOST"
    exit 7 ;;
  *) echo "fake docker: no such command: $*" >&2; exit 64 ;;
esac
`;

/** A directory with a program named docker in it, which is none: it stands in for an engine. */
export interface FakeDocker {
  /** For PATH; what it was given to load it writes to `loaded`. */
  readonly directory: string;
  /** The engine is not running from now on. */
  readonly stop: () => void;
  /** From now on it knows no image that it has loaded by its ID. */
  readonly forget: () => void;
}

/** For the running test, a docker whose engine is an ordinary user's. */
export function fakeDocker(imageId: string): FakeDocker {
  const directory = freshCacheDir("ordinary");
  const { uid, gid } = userFor("ordinary");
  const write = (name: string, content: string) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    chownSync(path, uid, gid);
    return path;
  };
  chmodSync(write("docker", script), 0o755);
  write("ids", `${imageId}\n`);
  return {
    directory,
    stop: () => write("stopped", ""),
    forget: () => write("forgetful", ""),
  };
}
