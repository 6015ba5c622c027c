import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseExposition } from "../support/exposition.js";
import { directory, file } from "../support/layers.js";
import { dockerArchive } from "../support/staged-archive.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { makeScratchDir } from "./support/places.js";
import { findProgram, testNeeding } from "./support/programs.js";

/** An image, a cache, and a directory for metrics that everybody may write to. */
function place() {
  const home = makeScratchDir("metrics", { mode: 0o777 });
  chmodSync(home, 0o777);
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const image = join(home, "image.tar");
  writeFileSync(image, dockerArchive([[directory("bin"), file("bin/tool", "x".repeat(9000))]]));
  chmodSync(image, 0o644);
  const path = join(home, "collected/stage-rootfs.prom");
  mkdirSync(join(home, "collected"));
  chmodSync(join(home, "collected"), 0o777);
  const cache = ["--cache-dir", freshCacheDir("ordinary")];
  return { image, path, words: [...cache, "--metrics", path] };
}

const samplesIn = (path: string) => Object.fromEntries(parseExposition(readFileSync(path, "utf8")));

describe("--metrics", () => {
  test("counts a staging, hits, a command, a failure and a garbage collection", async () => {
    const { image, path, words } = place();
    const none = ["--lease", "none"];
    expect(await stageRootfs([...words, ...none, image])).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    expect(await stageRootfs([...words, ...none, image])).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    await stageRootfs(["command", "--native", ...words, ...none, image, "--", "bin/tool"]);
    expect((await stageRootfs([...words, `${image}.gone`])).exitCode).toBe(66);
    expect(samplesIn(path)).toMatchObject({
      stage_rootfs_misses_total: 1,
      stage_rootfs_hits_total: 2,
      stage_rootfs_written_bytes_total: 9000,
      stage_rootfs_layers_unpacked_total: 1,
      stage_rootfs_staging_seconds_count: 1,
      'stage_rootfs_errors_total{code="NOT_FOUND"}': 1,
      stage_rootfs_cache_entries: 1,
      stage_rootfs_cache_bytes: expect.toSatisfy((bytes: number) => bytes > 9000),
    });
    const all = ["--max-size", "0", "--min-age", "0"];
    await stageRootfs(["gc", ...words, ...all, "--dry-run"]);
    expect(await stageRootfs(["gc", ...words, ...all])).toMatchObject({ exitCode: 0, stderr: "" });
    expect(samplesIn(path)).toMatchObject({
      stage_rootfs_gc_runs_total: 1,
      'stage_rootfs_evictions_total{reason="max-size"}': 1,
      stage_rootfs_cache_entries: 0,
      stage_rootfs_misses_total: 1,
    });
    expect(readdirSync(join(path, ".."))).toEqual(["stage-rootfs.prom"]);
  });

  test("counts each image that is warmed, and each that can't be", async () => {
    const { image, path, words } = place();
    const warm = await stageRootfs(["warm", ...words, image, `${image}.gone`]);
    expect(warm.exitCode).toBe(1);
    expect(samplesIn(path)).toMatchObject({
      stage_rootfs_misses_total: 1,
      stage_rootfs_cache_entries: 1,
      'stage_rootfs_errors_total{code="NOT_FOUND"}': 1,
    });
  });

  test("loses nothing of what many processes count at the same time, nor when one is killed", async () => {
    const { image, path, words } = place();
    await stageRootfs([...words, image]);
    const lock = `${path}.lock`;
    const killed = await stageRootfs([...words, image], {
      killWhen: { condition: () => existsSync(lock) },
    });
    const counted = samplesIn(path)["stage_rootfs_hits_total"] ?? 0;
    const runs = Array.from({ length: 12 }, () => stageRootfs([...words, image]));
    for (const run of await Promise.all(runs))
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(samplesIn(path)["stage_rootfs_hits_total"]).toBe(counted + 12);
    expect(killed.signal ?? "ended before").toMatch(/SIGKILL|ended before/);
  });

  test("is a warning where the file can't be written to, and the image is staged", async () => {
    const { image, path, words } = place();
    writeFileSync(path, "node_load1 0.5\n");
    const { exitCode, stdout, stderr } = await stageRootfs([...words, image]);
    expect([exitCode, existsSync(stdout.trim())]).toEqual([0, true]);
    expect(stderr).toBe(
      `stage-rootfs: warning: no metrics were written: ${path} is no file of metrics that stage-rootfs keeps (it is left alone: remove it, or name another with --metrics)\n`,
    );
    const gone = await stageRootfs([...words, "--metrics", "/none/m.prom", "-q", image]);
    expect([gone.exitCode, gone.stderr]).toEqual([0, ""]);
    const missing = await stageRootfs([...words, "--metrics", "/none/m.prom", image]);
    expect(missing.stderr).toMatch(
      /^stage-rootfs: warning: no metrics were written: .*\/none\/m.prom/,
    );
  });

  testNeeding(["prometheus-node-exporter"])("writes what node_exporter collects", async () => {
    const { image, path, words } = place();
    await stageRootfs([...words, image]);
    await stageRootfs([...words, `${image}.gone`]);
    const port = 20_000 + (process.pid % 10_000);
    const exporter = spawn(
      findProgram("prometheus-node-exporter") ?? "",
      [
        "--collector.disable-defaults",
        "--collector.textfile",
        `--collector.textfile.directory=${join(path, "..")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: "ignore" },
    );
    onTestFinished(() => void exporter.kill());
    const page = await pageAt(`http://127.0.0.1:${port}/metrics`);
    expect(page).toContain("node_textfile_scrape_error 0");
    const collected = page.split("\n").filter((line) => line.startsWith("stage_rootfs_"));
    const values = new Map(
      collected.map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]),
    );
    expect(Object.fromEntries(values)).toEqual(samplesIn(path));
  });
});

async function pageAt(url: string): Promise<string> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return await answer.text();
  }
  throw new Error(`${url} does not answer.`);
}
