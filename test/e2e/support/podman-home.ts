import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type UserKind, userFor } from "./users.js";

/** Root of a machine that is a sandbox itself may not raise limits, as podman does for root. */
const settings = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
`;

/** A podman with its state apart. */
export interface PodmanHome {
  readonly env: Readonly<Record<string, string>>;
  /** Removes it, and ends the process that an ordinary user's podman leaves behind. */
  readonly remove: () => void;
}

/** Makes the home of a podman that is a user's of a kind. */
export function makePodmanHome(kind: UserKind): PodmanHome {
  const owner = userFor(kind);
  // Where its sockets have long paths podman waits 20 s for a command that has ended.
  const home = mkdtempSync(join(tmpdir(), "pm-"));
  const runtime = join(home, "r");
  mkdirSync(runtime, { mode: 0o700 });
  for (const directory of [home, runtime]) chownSync(directory, owner.uid, owner.gid);
  const storage = join(home, "storage.conf");
  writeFileSync(storage, storageSettings(home));
  const containers = join(home, "containers.conf");
  writeFileSync(containers, settings);
  return {
    env: {
      HOME: home,
      XDG_RUNTIME_DIR: runtime,
      CONTAINERS_CONF: containers,
      CONTAINERS_STORAGE_CONF: storage,
    },
    remove: () => {
      endPause(runtime);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function storageSettings(home: string): string {
  return [
    "[storage]",
    'driver = "vfs"',
    `graphroot = "${home}/s"`,
    `rootless_storage_path = "${home}/s"`,
    `runroot = "${home}/r/c"`,
    "",
  ].join("\n");
}

/** It keeps an ordinary user's namespaces for the next podman. */
function endPause(runtime: string): void {
  const file = join(runtime, "libpod/tmp/pause.pid");
  if (existsSync(file)) process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
}

/**
 * A command on a machine whose control groups are all of the second version, whatever this one's
 * are: crun starts nothing where both versions are mixed. Takes root; `then` becomes somebody else.
 */
export function inUnifiedControlGroups(argv: readonly string[]): [string, ...string[]] {
  const script = [
    "umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup",
    "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    'exec "$@"',
  ].join("\n");
  return ["unshare", "-m", "sh", "-c", script, "sh", ...argv];
}

/** A command that root starts and that goes on as a user of a kind. */
export function becoming(kind: UserKind, argv: readonly string[]): readonly string[] {
  if (kind === "root") return argv;
  const { uid, gid } = userFor(kind);
  return ["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", ...argv];
}
