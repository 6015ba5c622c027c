import { lstatSync, readFileSync } from "node:fs";
import type { OwnershipPolicy } from "../../src/extract/policy.js";
import { displayPath, pathBelow } from "../../src/host/byte-string.js";
import { isSecret, secretSize } from "./canary.js";
import { pathsBelow } from "./tree-contents.js";

/**
 * Checks what any tree must be, whatever it was made of: no devices and the like, no setuid bits
 * unless asked for, directories that the caller can use, and nothing of a canary's.
 */
export function checkTree(root: string, policy: OwnershipPolicy): void {
  for (const path of ["", ...pathsBelow(root)]) {
    const target = pathBelow(root, path);
    const stat = lstatSync(target);
    const complaint = () => {
      if (stat.isSymbolicLink()) return undefined;
      if (!stat.isFile() && !stat.isDirectory()) return "is neither file nor directory nor link";
      if (policy.setuid === "drop" && (stat.mode & 0o6000) !== 0) return "has a setuid bit";
      if (policy.owner === "squash" && stat.isDirectory() && (stat.mode & 0o700) !== 0o700) {
        return "is closed to its owner";
      }
      if (policy.owner === "squash" && stat.uid !== process.geteuid?.())
        return "is not its maker's";
      const mayBeSecret = stat.isFile() && stat.size === secretSize;
      return mayBeSecret && isSecret(readFileSync(target)) ? "is the canary's" : undefined;
    };
    const found = complaint();
    if (found !== undefined) throw new Error(`${displayPath(path) || "the root"} ${found}`);
  }
}
