import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { layerFile } from "../../../src/cache/layer-store.js";
import { CacheLayout } from "../../../src/cache/layout.js";
import { takeLease } from "../../../src/cache/leases/leases.js";
import { entryLock } from "../../../src/cache/rootfs-store.js";
import { StageError } from "../../../src/errors.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { collectGarbage } from "../../../src/stage/gc/collect-garbage.js";
import type { GcOptions } from "../../../src/stage/gc/gc-options.js";
import { stageRootfs } from "../../../src/stage.js";
import { locksIn } from "../../support/cache.js";
import { deadIdentities, ownedName } from "../../support/identities.js";
import { directory, file, type LayerEntry } from "../../support/layers.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const base: readonly LayerEntry[] = [
  directory("sealed", { mode: 0o555 }),
  file("base", "b".repeat(9000)),
];

/** A cache with images of two layers, one of which they share. */
async function cacheOf(...names: readonly string[]) {
  const cacheDir = `${scratchDirectory()}/cache`;
  const layout = new CacheLayout(cacheDir);
  const keys: Record<string, string> = {};
  const archives: Record<string, string> = {};
  for (const name of names) {
    const archive = archiveFile([base, [file(name, name.repeat(5000))]]);
    archives[name] = archive;
    keys[name] = (await stageRootfs(archive, { cacheDir, lease: "none" })).key;
    // The next one is used later, by the clock of the file system too.
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  const gc = async (options: GcOptions = {}) => {
    return await collectGarbage({ cacheDir, config: "/dev/null", minAge: 0, ...options });
  };
  const standing = () => {
    return Object.keys(keys).filter((name) => existsSync(layout.entry(keys[name] ?? "")));
  };
  return { cacheDir, layout, keys, archives, gc, standing };
}

const layersIn = (layout: CacheLayout) => readdirSync(layout.layers).length;

describe("garbage collection", () => {
  test("does nothing where there is no cache, or nothing to do", async () => {
    const missing = `${scratchDirectory()}/none`;
    expect((await collectGarbage({ cacheDir: missing, maxSize: 0 })).entries).toEqual([]);
    expect(existsSync(missing)).toBe(false);
    const other = scratchDirectory();
    await collectGarbage({ cacheDir: other, maxSize: 0 });
    expect(readdirSync(other)).toEqual([]);
    const { gc, standing, layout } = await cacheOf("a");
    expect(await gc()).toMatchObject({ entries: [], layers: [], freed: { bytes: 0 }, unmet: [] });
    expect([standing(), layersIn(layout)]).toEqual([["a"], 2]);
  });

  test("removes what was used least recently, with the layers that nothing else needs", async () => {
    const { gc, standing, layout, keys, cacheDir, archives } = await cacheOf("a", "b", "c");
    await stageRootfs(archives["a"] ?? "", { cacheDir, lease: "none" });
    takeLease(layout, keys["a"] ?? "", { kind: "until", time: 0, word: "past" });
    const { size } = await gc({ dryRun: true });
    const report = await gc({ maxSize: size.bytes - 1 });
    expect(report.entries.map(({ key }) => key)).toEqual([keys["b"]]);
    expect(report.layers).toHaveLength(1);
    expect(report.size.bytes).toBeLessThan(size.bytes);
    expect((await gc({ dryRun: true })).size).toEqual(report.size);
    expect([standing(), layersIn(layout)]).toEqual([["a", "c"], 3]);
    expect(readdirSync(layout.tmp)).toEqual([]);
    await gc({ maxSize: 0 });
    expect([standing(), layersIn(layout), locksIn(layout.locks)]).toEqual([[], 0, []]);
  });

  test("only says so in a dry run", async () => {
    const { gc, standing, layout } = await cacheOf("a", "b");
    mkdirSync(`${layout.tmp}/${ownedName(Object.values(deadIdentities())[0] ?? ownIdentity())}`);
    const dry = await gc({ maxSize: 0, dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, leftovers: 1, size: { bytes: 0 } });
    expect([standing(), layersIn(layout), readdirSync(layout.tmp).length]).toEqual([
      ["a", "b"],
      3,
      1,
    ]);
    const wet = await gc({ maxSize: 0 });
    expect(wet).toMatchObject({ leftovers: 1, entries: dry.entries, freed: dry.freed });
    expect(readdirSync(layout.tmp)).toEqual([]);
  });

  test("leaves what was used just now, and says so", async () => {
    const { gc, standing, keys } = await cacheOf("a");
    const report = await gc({ maxSize: 0, minAge: undefined });
    expect(report.stay).toEqual([{ key: keys["a"], why: "used just now" }]);
    expect(report.unmet).toMatchObject([{ goal: "max-size", wanted: 0 }]);
    expect(standing()).toEqual(["a"]);
  });

  test("leaves what somebody has a lease on, and ends the leases of the dead", async () => {
    const { gc, standing, keys, layout } = await cacheOf("a", "b", "c");
    takeLease(layout, keys["a"] ?? "", { kind: "job", id: "4711" });
    takeLease(layout, keys["b"] ?? "", { kind: "until", time: Date.now() + 1e6, word: "x" });
    const [identity] = Object.values(deadIdentities());
    if (!identity) throw new Error("there are dead identities");
    takeLease(layout, keys["c"] ?? "", { kind: "process", identity });
    takeLease(layout, keys["a"] ?? "", { kind: "process", identity });
    const report = await gc({ maxSize: 0 });
    expect(standing()).toEqual(["a", "b"]);
    expect(report.leases.map(({ key }) => key).sort()).toEqual([keys["a"], keys["c"]].sort());
    expect(report.stay.map(({ why }) => why).sort()).toEqual([
      "leased by slurm-4711",
      expect.stringMatching(/^leased by until-/),
    ]);
    expect(readdirSync(layout.leases(keys["a"] ?? ""))).toEqual(["job-4711"]);
    expect(existsSync(layout.leases(keys["c"] ?? ""))).toBe(false);
  });

  test("that ends a lease is no use of the entry", async () => {
    const { gc, keys, layout } = await cacheOf("a");
    takeLease(layout, keys["a"] ?? "", { kind: "until", time: 0, word: "past" });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await gc();
    expect((await gc({ maxAge: 1, dryRun: true })).entries).toHaveLength(1);
  });

  test("asks which jobs exist, and ends the leases of the others", async () => {
    const { gc, standing, keys, layout } = await cacheOf("a", "b");
    takeLease(layout, keys["a"] ?? "", { kind: "job", id: "1" });
    takeLease(layout, keys["b"] ?? "", { kind: "job", id: "2" });
    const asked: unknown[] = [];
    const listJobs = async (_: unknown, leased: unknown) => {
      asked.push(leased);
      return new Set(["2", "3"]);
    };
    const dry = await gc({ maxSize: 0, listJobs, dryRun: true });
    expect(dry.entries.map(({ key }) => key)).toEqual([keys["a"]]);
    const report = await gc({ maxSize: 0, listJobs });
    expect(report.leases).toEqual([{ key: keys["a"], lease: "slurm-1" }]);
    expect(standing()).toEqual(["b"]);
    const leased = ["1", "2"].map((id) => ({ id, isOwn: true }));
    expect(asked).toEqual([expect.arrayContaining(leased), expect.arrayContaining(leased)]);
  });

  test("goes on where Slurm does not answer, and says that jobs' leases stay", async () => {
    const { gc, standing, keys, layout } = await cacheOf("a", "b");
    takeLease(layout, keys["a"] ?? "", { kind: "job", id: "1" });
    const listJobs = () => Promise.reject(new StageError("BUSY", "it is down"));
    const report = await gc({ maxSize: 0, listJobs });
    expect(report.warnings).toEqual(["the leases of jobs stay, for it is down"]);
    expect(standing()).toEqual(["a"]);
  });

  test("takes a lease of a job for alive that was taken after the question", async () => {
    const { gc, standing, keys, layout } = await cacheOf("a", "b");
    takeLease(layout, keys["b"] ?? "", { kind: "job", id: "1" });
    const listJobs = async () => {
      takeLease(layout, keys["a"] ?? "", { kind: "job", id: "2" });
      return new Set<string>();
    };
    await gc({ maxSize: 0, listJobs });
    expect(standing()).toEqual(["a"]);
  });

  test("leaves an entry that is being staged, and its layers", async () => {
    const { gc, standing, keys, layout } = await cacheOf("a", "b");
    const lock = layout.lock(entryLock(keys["a"] ?? ""));
    mkdirSync(lock);
    writeFileSync(`${lock}/${ownedName(ownIdentity())}`, "");
    const report = await gc({ maxSize: 0 });
    expect(report.stay).toEqual([{ key: keys["a"], why: "being staged" }]);
    expect([standing(), layersIn(layout)]).toEqual([["a"], 3]);
    rmSync(lock, { recursive: true });
    await gc({ maxSize: 0 });
    // What could not go with its entry, since a staging might use it, waits for another one.
    expect([standing(), layersIn(layout)]).toEqual([[], 1]);
  });

  test("leaves layers for an hour for which there is no entry", async () => {
    const { gc, keys, layout } = await cacheOf("a");
    rmSync(layout.entry(keys["a"] ?? ""), { recursive: true });
    expect((await gc({ maxSize: 0 })).unmet).toHaveLength(1);
    expect(layersIn(layout)).toBe(2);
    for (const name of readdirSync(layout.layers)) {
      const time = Date.now() / 1000 - 3700;
      utimesSync(layerFile(layout, name), time, time);
    }
    expect((await gc()).layers).toHaveLength(2);
    expect(layersIn(layout)).toBe(0);
  });

  test("forgets an archive that is gone when its image is, but not before", async () => {
    const { gc, layout, archives } = await cacheOf("a", "b");
    rmSync(archives["a"] ?? "");
    expect((await gc()).sources).toBe(0);
    expect((await gc({ maxSize: 0 })).sources).toBe(1);
    expect(readdirSync(layout.index)).toHaveLength(1);
  });

  test("takes its goals from the configuration where it is given none", async () => {
    const { gc, standing } = await cacheOf("a", "b");
    const config = `${scratchDirectory()}/config.toml`;
    writeFileSync(config, "[cache]\nkeep_last = 1\n");
    await gc({ config, keepLast: 2 });
    expect(standing()).toEqual(["a", "b"]);
    await gc({ config });
    expect(standing()).toEqual(["b"]);
  });

  test("frees what the disk is to have, and says what it can't", async () => {
    const { gc, standing } = await cacheOf("a");
    expect((await gc({ minFree: { bytes: 1 } })).entries).toEqual([]);
    expect(standing()).toEqual(["a"]);
    expect((await gc({ minFree: { percent: 100 } })).unmet).toMatchObject([{ goal: "room" }]);
    expect(standing()).toEqual([]);
  });

  test.for([
    // The file is in the rootfs too.
    { what: "a file", of: "/tree/a", warned: 2, left: { standing: [], layers: 0 } },
    { what: "a layer", of: "", warned: 1, left: { standing: [], layers: 1 } },
  ])("goes on when $what is immutable, and says so", async ({ of, warned, left }, context) => {
    const { gc, layout, standing, keys } = await cacheOf("a", "b");
    const layers = readdirSync(layout.layers).map((name) => layout.layer(name));
    const fixed = `${layers.find((layer) => existsSync(`${layer}/tree/a`))}${of}`;
    try {
      execFileSync("chattr", ["+i", fixed], { stdio: "ignore" });
    } catch {
      context.skip("nothing can be made immutable here");
    }
    onTestFinished(() => {
      execFileSync("chattr", ["-R", "-f", "-i", layout.layers, layout.tmp]);
    });
    const { warnings, entries, unmet } = await gc({ maxSize: 0 });
    expect(entries.map(({ key }) => key).sort()).toEqual(Object.values(keys).sort());
    const reason = expect.stringMatching(/^cannot remove .*: operation not permitted$/);
    expect(warnings).toEqual(Array.from({ length: warned }, () => reason));
    expect([standing(), layersIn(layout)]).toEqual([left.standing, left.layers]);
    expect(unmet).toHaveLength(left.layers);
  });

  test("stops where it is told to, and leaves nothing half done", async () => {
    const { gc, layout } = await cacheOf("a", "b");
    const controller = new AbortController();
    const running = gc({ maxSize: 0, signal: controller.signal });
    controller.abort(new StageError("CANCELLED", "enough"));
    expect((await rejection(running)).message).toBe("enough");
    expect([readdirSync(layout.tmp), locksIn(layout.locks)]).toEqual([[], []]);
    await gc({ maxSize: 0 });
    expect(layersIn(layout)).toBe(0);
  });

  test("waits for another one, or does not", async () => {
    const { gc, layout, standing } = await cacheOf("a");
    const lock = layout.lock("gc");
    mkdirSync(lock);
    writeFileSync(`${lock}/${ownedName(ownIdentity())}`, "");
    const error = await rejection(gc({ maxSize: 0, wait: 0 }));
    expect([error.code, error.message]).toEqual([
      "BUSY",
      "another garbage collection is under way",
    ]);
    expect(standing()).toEqual(["a"]);
    setTimeout(() => rmSync(lock, { recursive: true }), 100);
    await gc({ maxSize: 0 });
    expect(standing()).toEqual([]);
  });
});
