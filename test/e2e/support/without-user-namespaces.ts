import { stageRootfsArgv } from "./cli.js";
import { userFor } from "./users.js";

/**
 * The argv that runs the program as the ordinary user where user namespaces are switched off, as an
 * administrator does: in a user namespace that has all users, and a limit of its own. For root.
 */
export function withoutUserNamespaces(args: readonly string[]): [string, ...string[]] {
  const { uid, gid } = userFor("ordinary");
  const script = [
    "unshare -U sleep 60 & pid=$!",
    'until [ "$(readlink /proc/$pid/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done',
    "trap 'kill $pid' EXIT",
    "echo 0 0 65536 >/proc/$pid/uid_map && echo 0 0 65536 >/proc/$pid/gid_map || exit 99",
    `nsenter -U -S 0 -G 0 -t $pid sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid ${uid} --regid ${gid} --clear-groups "$@"' sh "$@"`,
  ].join("\n");
  return ["sh", "-c", script, "sh", ...stageRootfsArgv(args)];
}
