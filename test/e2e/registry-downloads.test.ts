import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  first,
  type OddRegistry,
  on,
  onDigest,
  startOddRegistry,
} from "../support/odd-registry.js";
import { honestAnswer } from "../support/registry/honest-answer.js";
import { cut, ignoringRange, paced } from "../support/registry/oddities.js";
import { servedImage } from "../support/registry/registry-content.js";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { expectServed, patienceMs } from "./support/odd-runs.js";
import { contents, leftovers, stagedBy } from "./support/staged.js";

const image = servedImage({ size: 4_000_000 });
const [base, large] = image.layers;
if (!base || !large) throw new Error("the image has other layers");

/** What is sent of the large layer before it stalls. */
const sentBytes = 3_000_000;

/** The large layer stalls for the first who asks for it. */
const stalling = () => onDigest(large.digest, first(1, cut(sentBytes, "stall")));

/** Bytes of blobs that the cache holds. */
function fetchedBytes(cacheDir: string): number {
  const blobs = join(cacheDir, "v1/blobs");
  if (!existsSync(blobs)) return 0;
  return readdirSync(blobs).reduce((sum, name) => {
    return sum + (statSync(join(blobs, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

/** The ranges in which the large layer was asked for. */
function ranges(registry: OddRegistry): (string | undefined)[] {
  return registry
    .seen("layer")
    .filter(({ reference }) => reference === large?.digest)
    .map(({ headers }) => headers.range);
}

/** Stages until most of the large layer has come, and ends that with a signal. */
async function interrupted(registry: OddRegistry, options: { signal: NodeJS.Signals }) {
  const cacheDir = freshCacheDir("ordinary");
  const args = ["--json", "--cache-dir", cacheDir, registry.reference()];
  const condition = () => fetchedBytes(cacheDir) >= sentBytes;
  const { signal } = options;
  const run = await stageRootfs(args, { killWhen: { condition, signal }, timeoutMs: patienceMs });
  expect(contents(cacheDir).entries).toEqual([]);
  return { cacheDir, args, run };
}

describe("a download that is killed", () => {
  test("goes on, in the next process, where it was", async () => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const { args, cacheDir, run } = await interrupted(registry, { signal: "SIGKILL" });
    expect(run.signal).toBe("SIGKILL");
    expectServed(stagedBy(await stageRootfs(args)), image);
    expect(ranges(registry)).toEqual([undefined, `bytes=${sentBytes}-`]);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("goes on where the registry knows no ranges, too", async () => {
    const oddities = [onDigest(large.digest, ignoringRange(image)), stalling()];
    const registry = await startOddRegistry(oddities, { content: image });
    const { args, cacheDir } = await interrupted(registry, { signal: "SIGKILL" });
    expectServed(stagedBy(await stageRootfs(args)), image);
    expect(leftovers(cacheDir)).toEqual([]);
  });

  test("goes on from another registry that has the same image", async () => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const { cacheDir } = await interrupted(registry, { signal: "SIGKILL" });
    const other = await startOddRegistry([], { content: image });
    const args = ["--json", "--cache-dir", cacheDir, other.reference()];
    expectServed(stagedBy(await stageRootfs(args)), image);
    expect(ranges(other)).toEqual([`bytes=${sentBytes}-`]);
  });

  test.for(["SIGTERM", "SIGINT"] as const)("with %s, ends at once", async (signal) => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const { args, cacheDir, run } = await interrupted(registry, { signal });
    expect(run.exitCode).toBe({ SIGTERM: 143, SIGINT: 130 }[signal]);
    expect(run.stderr).toMatch(new RegExp(`^[^\\n]*stopped by ${signal}[^\\n]*\\n$`));
    expect(leftovers(cacheDir).filter((name) => !name.startsWith("blobs/"))).toEqual([]);
    expectServed(stagedBy(await stageRootfs(args)), image);
  });

  test("leaves the work to one of those who wait for it", async () => {
    const registry = await startOddRegistry([stalling()], { content: image });
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--json", "--cache-dir", cacheDir, registry.reference()];
    const waiters: ReturnType<typeof stageRootfs>[] = [];
    const condition = () => {
      if (fetchedBytes(cacheDir) < sentBytes) return false;
      while (waiters.length < 4) waiters.push(stageRootfs(args));
      // All of them ask for the tag before they wait.
      return registry.seen("manifest").filter(({ method }) => method === "HEAD").length > 4;
    };
    const killed = await stageRootfs(args, { killWhen: { condition }, timeoutMs: patienceMs });
    expect(killed.signal).toBe("SIGKILL");
    const all = (await Promise.all(waiters)).map(stagedBy);
    expect(all.filter(({ hit }) => !hit)).toHaveLength(1);
    for (const staged of all) expectServed(staged, image);
    expect(ranges(registry)).toEqual([undefined, `bytes=${sentBytes}-`]);
    expect(leftovers(cacheDir)).toEqual([]);
  });
});

describe("many at once", () => {
  test("each blob is fetched once, however long it takes", async () => {
    const slow = on("layer", paced(200_000, 20));
    const registry = await startOddRegistry([slow], { content: image });
    const cacheDir = freshCacheDir("ordinary");
    const args = ["--json", "--cache-dir", cacheDir, registry.reference()];
    const runs = await Promise.all(Array.from({ length: 8 }, () => stageRootfs(args)));
    const all = runs.map(stagedBy);
    expect(all.filter(({ hit }) => !hit)).toHaveLength(1);
    const blobs = registry.seen("layer").map(({ reference }) => reference);
    expect(blobs.toSorted()).toEqual(image.layers.map(({ digest }) => digest).toSorted());
  });

  test("different images that share layers fetch those once", async () => {
    const other = servedImage({ size: 4_000_000, mark: "other" });
    const slow = on("layer", paced(100_000, 5));
    const content = {
      ...image,
      files: new Map([...image.files, ...other.files]),
      tags: { latest: image.manifest, other: other.manifest },
    };
    const registry = await startOddRegistry([slow], { content });
    const cacheDir = freshCacheDir("ordinary");
    const tags = ["latest", "other", "latest", "other"];
    const runs = await Promise.all(
      tags.map((tag) => stageRootfs(["--json", "--cache-dir", cacheDir, registry.reference(tag)])),
    );
    runs.map(stagedBy).forEach((staged, i) => {
      expectServed(staged, i % 2 === 0 ? image : other);
    });
    const blobs = registry.seen("layer").map(({ reference }) => reference);
    expect(blobs).toHaveLength(3);
    expect(new Set(blobs).size).toBe(3);
    expect(leftovers(cacheDir)).toEqual([]);
  });
});

describe("a tag that moves", () => {
  test("is followed, but not within --max-staleness or with --offline", async () => {
    const other = servedImage({ size: 4_000_000, mark: "other" });
    let moved = false;
    const content = { ...image, files: new Map([...image.files, ...other.files]) };
    const registry = await startOddRegistry(
      [
        (answer, request) =>
          moved && request.reference === "latest"
            ? honestAnswer(
                { ...request, url: request.url.replace("latest", other.manifest.digest) },
                content,
              )
            : answer,
      ],
      { content },
    );
    const cacheDir = freshCacheDir("ordinary");
    const staged = async (...args: string[]) => {
      const line = ["--json", "--cache-dir", cacheDir, ...args, registry.reference()];
      return stagedBy(await stageRootfs(line));
    };
    const before = await staged();
    moved = true;
    const stale = await Promise.all([staged("--max-staleness", "3600"), staged("--offline")]);
    for (const { key, hit } of stale) expect({ key, hit }).toEqual({ key: before.key, hit: true });
    const after = await staged();
    expectServed(after, other);
    expect(after.key).not.toBe(before.key);
    expect(after.layers.map(({ reused }) => reused)).toEqual([true, false]);
    expect(await staged("--offline")).toMatchObject({ hit: true, key: after.key });
  });
});
