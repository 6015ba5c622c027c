import {
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, inject, onTestFinished } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { makeScratchDir } from "./support/places.js";
import { testNeeding } from "./support/programs.js";
import { stage, stagedBy } from "./support/staged.js";
import { straceReads } from "./support/strace-reads.js";
import { userFor } from "./support/users.js";

const hitTest = testNeeding([...debianImageNeeds, "strace"]);

describe("a warm hit", () => {
  hitTest("reads nothing of an archive that was staged before", async () => {
    const { forms } = await debianImage();
    for (const archive of [forms.dockerArchive, forms.dockerArchiveGzip]) {
      const cacheDir = freshCacheDir("ordinary");
      const args = ["--json", "--cache-dir", cacheDir, archive];
      await stage(args.slice(1));
      const { result, bytesRead, opened } = await straceReads(args, archive);
      expect(stagedBy(result).hit).toBe(true);
      expect(bytesRead).toBe(0);
      expect(opened.filter((path) => /\/node_modules\/.*\.js$/.test(path))).toEqual([]);
    }
  });

  hitTest("reads nothing of a layout that was staged before, until its index changes", async () => {
    const { forms } = await debianImage();
    const scratch = makeScratchDir("layout", { mode: 0o755 });
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const layout = join(scratch, "layout");
    cpSync(forms.ociLayoutGzip, layout, { recursive: true });
    const cacheDir = freshCacheDir("ordinary");
    for (const reference of [layout, `oci:${layout}`]) {
      await stage(["--cache-dir", cacheDir, reference]);
      const args = ["--json", "--cache-dir", cacheDir, reference];
      const index = join(layout, "index.json");
      const again = await straceReads(args, index);
      expect(stagedBy(again.result).hit).toBe(true);
      expect(again.bytesRead).toBe(0);
      utimesSync(index, 1, 1);
      expect((await straceReads(args, index)).bytesRead).toBeGreaterThan(0);
    }
  });

  hitTest("reads a few KiB of a copy that it has never seen", async () => {
    const { forms } = await debianImage();
    for (const archive of [forms.dockerArchive, forms.ociArchive]) {
      const cacheDir = freshCacheDir("ordinary");
      await stage(["--cache-dir", cacheDir, archive]);
      const scratch = makeScratchDir("copy", { mode: 0o755 });
      onTestFinished(() => rmSync(scratch, { recursive: true }));
      const copy = join(scratch, "copy.tar");
      copyFileSync(archive, copy);
      const args = ["--json", "--cache-dir", cacheDir, copy];
      const { result, bytesRead, opened } = await straceReads(args, copy);
      expect(stagedBy(result).hit).toBe(true);
      expect(bytesRead).toBeGreaterThan(0);
      expect(bytesRead).toBeLessThan(32 * 1024);
      expect(opened.filter((path) => /\/(undici|execa|tar-stream)\//.test(path))).toEqual([]);
    }
  });

  hitTest("is none when the archive has changed since", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const scratch = makeScratchDir("changed", { mode: 0o755 });
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const archive = join(scratch, "image.tar");
    copyFileSync(forms.dockerArchive, archive);
    await stage(["--cache-dir", cacheDir, archive]);
    utimesSync(archive, 1, 1);
    const { bytesRead } = await straceReads(["--json", "--cache-dir", cacheDir, archive], archive);
    expect(bytesRead).toBeGreaterThan(0);
  });

  hitTest("is not led astray by what is kept of its script, whatever that holds", async () => {
    const { forms } = await debianImage();
    const cacheDir = freshCacheDir("ordinary");
    const staged = await stage(["--cache-dir", cacheDir, forms.dockerArchive]);
    const scratch = makeScratchDir("program", { mode: 0o755, owner: userFor("ordinary") });
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    cpSync(inject("packageDir"), scratch, { recursive: true });
    await execa("chown", ["-R", `${userFor("ordinary").uid}`, scratch]);
    const program = join(scratch, "bin/stage-rootfs.cjs");
    const hit = () =>
      runArgv([inject("nodePath"), program, "--cache-dir", cacheDir, forms.dockerArchive]);
    const kept = () => readdirSync(join(scratch, "dist")).filter((name) => name.endsWith(".code"));
    for (const name of kept()) rmSync(join(scratch, "dist", name));
    const answer = { stdout: `${staged.rootfs}\n`, stderr: "", exitCode: 0 };
    expect(await hit()).toMatchObject(answer);
    const [name = ""] = kept();
    expect(kept()).toEqual([expect.stringMatching(/^hit-.+\.code$/)]);
    expect(await hit()).toMatchObject(answer);
    const path = join(scratch, "dist", name);
    const whole = readFileSync(path);
    for (const content of ["", "garbage", whole.subarray(0, 5000), Buffer.alloc(whole.length)]) {
      writeFileSync(path, content);
      expect(await hit()).toMatchObject(answer);
    }
  });
});
