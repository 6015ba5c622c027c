import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stageRootfs } from "./support/cli.js";
import {
  type CrashSite,
  crashSite,
  expectRecovery,
  expectWhole,
  newCache,
} from "./support/faults/crash-site.js";
import { type Fault, withFault } from "./support/faults/fault.js";
import { contents, leftovers, stage } from "./support/staged.js";

/** The steps of a garbage collection, by name: see {@link Fault.step}. */
const steps: Readonly<Record<string, RegExp>> = {
  "its lock taken": /^rename .* -> locks\/gc$/,
  "an entry's lock taken": /^rename .* -> locks\/rootfs-[^/]+$/,
  "an entry hidden": /^rename rootfs\/.* -> rootfs\/.*\.leaving$/,
  "an entry moved aside": /^rename rootfs\/[^/]+ -> tmp\//,
  "an entry's leases removed": /^rmdir leases\//,
  "an entry's lock disowned": /^unlink locks\/rootfs-/,
  "an entry's file removed": /^unlink tmp\/[^/]+\/rootfs\//,
  "an entry's directory removed": /^rmdir tmp\/[^/]+\/rootfs$/,
  "a layer's lock taken": /^rename .* -> locks\/layer-[^/]+$/,
  "a layer hidden": /^rename layers\/.* -> layers\/.*\.leaving$/,
  "a layer moved aside": /^rename layers\/[^/]+ -> tmp\//,
  "a layer's lock released": /^rmdir locks\/layer-/,
  "a layer's file removed": /^unlink tmp\/[^/]+\/tree\//,
  "the rest of it removed": /^rmdir tmp\/[^/]+$/,
  "its lock disowned": /^unlink locks\/gc/,
  "its lock released": /^rmdir locks\/gc/,
};

let site: CrashSite;
const cleanUps: (() => void)[] = [];
const sideBySide = pLimit(availableParallelism());
const atTheEnd = (act: () => void) => void cleanUps.push(act);

beforeAll(async () => {
  site = await crashSite(atTheEnd);
});
afterAll(() => {
  for (const act of cleanUps.reverse()) act();
});

/** Removes all that it may, while that goes wrong. */
async function gc(cacheDir: string, fault?: Fault) {
  const args = ["gc", "--cache-dir", cacheDir, "--max-size", "0", "--min-age", "0"];
  return await stageRootfs(args, fault ? { env: withFault(cacheDir, fault) } : {});
}

async function killAt(cacheDir: string, fault: Omit<Fault, "what">): Promise<void> {
  const { signal } = await gc(cacheDir, { ...fault, what: "SIGKILL" });
  expect(signal).toBe("SIGKILL");
  expectWhole(site, cacheDir);
}

/** A cache with the image in it, on which nobody has a lease. */
async function filledCache(): Promise<string> {
  const cacheDir = newCache(atTheEnd);
  await stage(["--cache-dir", cacheDir, "--lease", "none", "--no-fsync", site.image]);
  return cacheDir;
}

describe.concurrent("a garbage collection that is killed", () => {
  test.for(Object.entries(steps))("after %s leaves an entry whole, or none", async ([, step]) => {
    await sideBySide(async () => {
      const cacheDir = await filledCache();
      await killAt(cacheDir, { step, when: "after" });
      await expectRecovery(site, cacheDir);
    });
  });

  test.for(Object.entries(steps))("before %s is finished by the next one", async ([, step]) => {
    await sideBySide(async () => {
      const cacheDir = await filledCache();
      await killAt(cacheDir, { step, when: "before" });
      const { exitCode, stderr } = await gc(cacheDir);
      expect(contents(cacheDir).entries).toEqual([]);
      // Layers that have lost their entry wait for another one, for an hour.
      const isLeft = contents(cacheDir).layers.length > 0;
      expect([exitCode, stderr === ""]).toEqual(isLeft ? [75, false] : [0, true]);
      expect(leftovers(cacheDir)).toEqual([]);
      const leases = join(cacheDir, "v1/leases");
      expect(readdirSync(leases).flatMap((key) => readdirSync(join(leases, key)))).toEqual([]);
    });
  });
});
