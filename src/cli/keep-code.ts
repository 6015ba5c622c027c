import { statSync } from "node:fs";
import { dirname } from "node:path";
import { ignoring } from "../host/ignoring.js";
import { replaceFile } from "../host/replace-file.js";

/**
 * Keeps what V8 has made of the script that answers hits, beside that script, so that the next
 * process need not make it again. It is trusted like the script itself, so it is only written by
 * whoever owns the directory; where that can't be, nothing is kept.
 * @param path of the file to write; it is never seen half written
 */
export function keepCode(path: string, code: Buffer): void {
  ignoring(["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOENT"], () => {
    if (statSync(dirname(path)).uid !== process.geteuid?.()) return;
    replaceFile({ path, content: code }, { flush: true });
  });
}
