import { isWithin } from "../../host/is-within.js";
import type { BindMount, Mount } from "../mount.js";
import type { LaunchPlan } from "../plan.js";
import { cannot } from "./cannot.js";

/**
 * How Apptainer is told HOME, which it does not take from a variable: alone; or with what is mounted
 * there, which is then `bind` and no mount like others.
 * @throws StageError SANDBOX
 */
export function apptainerHome({ env, mounts }: LaunchPlan): {
  readonly flags: readonly string[];
  readonly bind?: Mount;
} {
  const home = env["HOME"] ?? "/";
  if (home.includes(":")) {
    throw cannot("apptainer", "takes no HOME with a colon in it", {
      hint: "set another one: --env HOME=/",
    });
  }
  const bind = mounts.find((mount) => isHome(mount, home));
  const isHidden = mounts.some(
    (mount) => mount !== bind && mount.type === "bind" && isWithin(home, mount.target),
  );
  if (!bind || isHidden) return { flags: ["--no-home", "--home", home] };
  return { flags: ["--home", `${bind.source}:${home}`], bind };
}

function isHome(mount: Mount, home: string): mount is BindMount {
  const { type, target } = mount;
  return type === "bind" && target === home && mount.access === "rw" && !mount.source.includes(":");
}
