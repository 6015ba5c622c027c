import { readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { userFor } from "./users.js";

/**
 * The argv that runs a command, as the ordinary user, on this machine as if it had a Nix store;
 * only root can run it.
 * @param store what is to be /nix/store
 */
export function onHostWithNix(store: string, command: readonly string[]): [string, ...string[]] {
  const { uid, gid } = userFor("ordinary");
  const tops = readdirSync("/", { withFileTypes: true }).filter(({ name }) => name !== "nix");
  return [
    ...(["bwrap", "--cap-add", "ALL", "--perms", "0755", "--tmpfs", "/"] as const),
    ...tops.flatMap((entry) => {
      const path = join("/", entry.name);
      if (entry.isSymbolicLink()) return ["--symlink", readlinkSync(path), path];
      return statSync(path).isDirectory() ? ["--dev-bind", path, path] : [];
    }),
    ...["--perms", "0755", "--dir", "/nix", "--ro-bind", store, "/nix/store"],
    ...["setpriv", "--reuid", `${uid}`, "--regid", `${gid}`, "--clear-groups", "--"],
    ...command,
  ];
}
