import { copyFileSync, existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { asStaged } from "./support/expected-tree.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { contents, leftovers, type Staged, stage, stagedBy } from "./support/staged.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";

const imageTest = testNeeding(debianImageNeeds);

/** How many layers a cache holds, finished ones only. */
function finishedLayers(cacheDir: string): number {
  return contents(cacheDir).layers.length;
}

function isUnderWay(cacheDir: string): boolean {
  const tmp = join(cacheDir, "v1/tmp");
  return existsSync(tmp) && readdirSync(tmp).length > 0;
}

async function expectWhole({ rootfs, mountPoints }: Staged): Promise<void> {
  const { faithfulTree } = await debianImage();
  const made = mountPoints.filter(({ created }) => created).map(({ path }) => path.slice(1));
  const ignorePaths = (path: string) => made.includes(path);
  const expected = asStaged(faithfulTree(), "ordinary");
  expect(diffTrees(expected, describeTree(rootfs), { ignorePaths })).toEqual([]);
}

describe("many at once", () => {
  imageTest("twenty processes on one cold image: one stages, twenty get its path", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--cache-dir", cacheDir, forms.ociArchive];
    const all = await Promise.all(Array.from({ length: 20 }, () => stage(args)));
    expect(new Set(all.map(({ rootfs }) => rootfs)).size).toBe(1);
    expect(all.filter(({ hit }) => !hit)).toHaveLength(1);
    const unpacked = all.flatMap(({ layers }) => layers.filter(({ reused }) => !reused));
    expect(unpacked).toHaveLength(finishedLayers(cacheDir));
    expect(leftovers(cacheDir)).toEqual([]);
  });

  imageTest("--wait gives up with 75, and names who is at work", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--cache-dir", cacheDir, forms.ociArchive];
    let late: Awaited<ReturnType<typeof stageRootfs>> | undefined;
    const first = await stageRootfs(["--json", ...args], {
      killWhen: {
        condition: async () => {
          if (!isUnderWay(cacheDir)) return false;
          late = await stageRootfs(["--wait", "0", ...args]);
          return true;
        },
        signal: "SIGCONT",
      },
    });
    expect(stagedBy(first).hit).toBe(false);
    expect(late?.exitCode).toBe(75);
    expect(late?.stderr).toMatch(/^stage-rootfs: .* by process \d+ on .*\(.*--wait SECONDS\)\n$/);
  });
});

describe("killed", () => {
  imageTest.for([0, 1, 3])(
    "with SIGKILL after %i layers, the next try goes on from there",
    async (count) => {
      const { forms } = await debianImage();
      const cacheDir = freshCacheDir("ordinary");
      const args = ["--json", "--jobs", "1", "--cache-dir", cacheDir, forms.ociLayoutGzip];
      const killed = await stageRootfs(args, {
        killWhen: { condition: () => isUnderWay(cacheDir) && finishedLayers(cacheDir) >= count },
      });
      expect(killed.signal).toBe("SIGKILL");
      expect(contents(cacheDir).entries).toEqual([]);
      const kept = finishedLayers(cacheDir);
      const staged = await stage(args.slice(1));
      expect(staged.hit).toBe(false);
      expect(staged.layers.filter(({ reused }) => reused).length).toBeGreaterThanOrEqual(kept);
      expect(leftovers(cacheDir)).toEqual([]);
      await expectWhole(staged);
    },
  );

  imageTest("while another waits: the waiter takes over at once", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--json", "--cache-dir", cacheDir, forms.ociLayoutGzip];
    let waiter: ReturnType<typeof stageRootfs> | undefined;
    const killed = await stageRootfs(args, {
      killWhen: {
        condition: async () => {
          if (!isUnderWay(cacheDir)) return false;
          waiter ??= stageRootfs([...args, "--progress", "json"]);
          return finishedLayers(cacheDir) >= 1;
        },
      },
    });
    expect(killed.signal).toBe("SIGKILL");
    const run = await waiter;
    if (!run) throw new Error("the first staging ended before anybody could wait for it");
    const staged = stagedBy(run);
    expect(staged.hit).toBe(false);
    expect(leftovers(cacheDir)).toEqual([]);
    await expectWhole(staged);
  });

  imageTest("while many wait: one of them takes over, and all get the path", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--json", "--cache-dir", cacheDir, forms.ociLayoutGzip];
    const waiters: ReturnType<typeof stageRootfs>[] = [];
    await stageRootfs(args, {
      killWhen: {
        condition: () => {
          if (!isUnderWay(cacheDir)) return false;
          while (waiters.length < 8) waiters.push(stageRootfs([...args, "--progress", "plain"]));
          return finishedLayers(cacheDir) >= 1;
        },
      },
    });
    const runs = await Promise.all(waiters);
    const all = runs.map(stagedBy);
    expect(all.filter(({ hit }) => !hit)).toHaveLength(1);
    expect(new Set(all.map(({ rootfs }) => rootfs)).size).toBe(1);
    const waited = runs.filter(({ stderr }) => /waiting for process \d+ on /.test(stderr));
    expect(waited.length).toBeGreaterThan(0);
    expect(leftovers(cacheDir)).toEqual([]);
    for (const staged of all.slice(0, 1)) await expectWhole(staged);
  });

  imageTest("in vain, many wait for an image that is damaged: each says why", async () => {
    const { forms } = await debianImage();
    const directory = makeScratchDir("damaged", { mode: 0o755 });
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const damaged = join(directory, "image.tar");
    copyFileSync(forms.dockerArchive, damaged);
    truncateSync(damaged, 2_000_000);
    const args = ["--cache-dir", freshCacheDir("ordinary"), damaged];
    const runs = await Promise.all(Array.from({ length: 6 }, () => stageRootfs(args)));
    for (const { exitCode, stderr } of runs) {
      expect({ exitCode, stderr }).toEqual({
        exitCode: 65,
        stderr: expect.stringMatching(/^stage-rootfs: [^\n]+\n$/),
      });
    }
  });

  imageTest.for(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "with %s it cleans up and says so",
    async (signal) => {
      const { forms } = await debianImage();
      const cacheDir = freshCacheDir("ordinary");
      const run = await stageRootfs(["--cache-dir", cacheDir, forms.ociLayoutGzip], {
        killWhen: { condition: () => isUnderWay(cacheDir), signal },
      });
      expect(run.exitCode).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
      expect(run.stderr).toMatch(new RegExp(`^stage-rootfs: stopped by ${signal} [^\\n]*\\n$`));
      expect(leftovers(cacheDir)).toEqual([]);
      expect(contents(cacheDir).entries).toEqual([]);
    },
  );
});
