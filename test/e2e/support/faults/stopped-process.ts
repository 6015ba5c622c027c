import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The process that works in a cache, as soon as it has stopped itself; see {@link Fault.what}. */
export async function stoppedProcess(cacheDir: string): Promise<number> {
  const tmp = join(cacheDir, "v1/tmp");
  for (;;) {
    const names = existsSync(tmp) ? readdirSync(tmp) : [];
    const pid = names.map((name) => Number(name.split(",")[3])).find(isStopped);
    if (pid !== undefined) return pid;
    await sleep(10);
  }
}

function isStopped(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && /^State:\tT/m.test(readFileSync(status, "utf8"));
}
