import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { startOddRegistry } from "../../support/odd-registry.js";
import { bytesIn, type ServedImage } from "../../support/registry/registry-content.js";
import { type RunResult, stageRootfs } from "./cli.js";
import { contents, leftovers, type Staged, stagedBy } from "./staged.js";

/** The part of a vitest test context that ends what the test began. */
export interface TestEnd {
  readonly onTestFinished: (act: () => Promise<void>) => void;
}

/** What a run took too long for: it counts as hanging. */
export const patienceMs = 90_000;

/** Expects that a rootfs holds the image's files. */
export function expectServed({ rootfs }: Staged, image: ServedImage): void {
  expect(readFileSync(join(rootfs, "etc/base"), "utf8")).toBe("the base\n");
  const [, digest = ""] = image.layers.map((layer) => layer.digest);
  const noise = readFileSync(join(rootfs, "data/noise"));
  // In a tar archive a file's content stands as it is.
  expect(bytesIn(image, digest)?.includes(noise)).toBe(true);
  expect(noise.length).toBeGreaterThan(100_000);
}

/** Expects one line on stderr, nothing on stdout and nothing half-made in the cache. */
export function expectFailure(
  run: RunResult,
  expected: { cacheDir: string; exitCodes: readonly number[]; says?: RegExp | undefined },
): void {
  const { cacheDir, exitCodes, says } = expected;
  expect(run).toMatchObject({ stdout: "", signal: undefined });
  expect(exitCodes, run.stderr).toContain(run.exitCode);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
  expect(run.stderr).toMatch(/^stage-rootfs: [^\x00-\x1f\x7f-\x9f\u202a-\u202e]+\n$/);
  if (says) expect(run.stderr).toMatch(says);
  expect(contents(cacheDir).entries).toEqual([]);
  expect(leftovers(cacheDir).filter((name) => !name.startsWith("blobs/"))).toEqual([]);
}

/** Expects that none of the secrets is in what a run said or left in the cache. */
export function expectSecret(
  secrets: readonly string[],
  { run, cacheDir }: { run: RunResult; cacheDir: string },
): void {
  const said = [run.stdout, run.stderr];
  const files = readdirSync(cacheDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  for (const secret of secrets) {
    expect(said.some((text) => text.includes(secret))).toBe(false);
    expect(files.some((text) => text.includes(secret))).toBe(false);
  }
}

/** Expects that the image can be had from a faultless registry, whatever the cache holds by now. */
export async function expectRecovery(
  image: ServedImage,
  { cacheDir, onTestFinished }: TestEnd & { cacheDir: string },
): Promise<void> {
  const registry = await startOddRegistry([], { content: image, atTheEnd: onTestFinished });
  const run = await stageRootfs(["--json", "--cache-dir", cacheDir, registry.reference()]);
  expectServed(stagedBy(run), image);
  expect(leftovers(cacheDir)).toEqual([]);
}
