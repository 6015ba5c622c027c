import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../errors.js";
import type { BindMount } from "../mount.js";

/** What says where names are resolved; how, nsswitch.conf, is the image's own affair. */
const files = ["/etc/resolv.conf", "/etc/hosts"];

/**
 * What name resolution with the host's network needs of the host, as far as it is there. Each is
 * often a link into /run, which a sandbox has one of its own of, so it is followed here.
 * @param root where the host's files are; default: `/`
 */
export function nameServiceMounts(root = "/"): readonly BindMount[] {
  return files.flatMap((target): readonly BindMount[] => {
    const source = fileAt(join(root, target));
    return source === undefined ? [] : [{ type: "bind", source, target, access: "ro" }];
  });
}

function fileAt(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? realpathSync(path) : undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
