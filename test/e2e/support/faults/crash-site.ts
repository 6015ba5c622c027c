import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { freshCacheDir } from "../cache-dir.js";
import { type RunOptions, stageRootfs } from "../cli.js";
import { layeredImage } from "../layered-image.js";
import { makeScratchDir } from "../places.js";
import { contents, leftovers, type Staged, stage } from "../staged.js";
import { describeTree, type TreeEntry } from "../tree.js";
import { diffTrees } from "../tree-diff.js";
import type { UserKind } from "../users.js";
import { type Fault, withFault } from "./fault.js";

/** An image that is staged over and over while things go wrong, and what is to come of it. */
export interface CrashSite {
  readonly image: string;
  /** What every entry, and every layer by its name, must be like as soon as it can be seen. */
  readonly trees: ReadonlyMap<string, readonly TreeEntry[]>;
}

type AtTheEnd = (act: () => void) => void;

/** Makes the image, and stages it once where nothing goes wrong. */
export async function crashSite(
  atTheEnd: AtTheEnd,
  kind: UserKind = "ordinary",
): Promise<CrashSite> {
  const directory = makeScratchDir("crash", { mode: 0o755 });
  atTheEnd(() => rmSync(directory, { recursive: true, force: true }));
  const image = layeredImage(`${directory}/image.tar`);
  const cacheDir = freshCacheDir(kind, atTheEnd);
  await stage(["--cache-dir", cacheDir, image], { as: kind });
  const { entries, layers } = contents(cacheDir);
  return { image, trees: new Map(visibleTrees(cacheDir, [...entries, ...layers])) };
}

export function newCache(atTheEnd: AtTheEnd): string {
  return freshCacheDir("ordinary", atTheEnd);
}

function visibleTrees(
  cacheDir: string,
  names: readonly string[],
): (readonly [string, readonly TreeEntry[]])[] {
  const { entries, layers } = contents(cacheDir);
  const places = [
    ...entries.filter((key) => names.includes(key)).map((key) => `rootfs/${key}/rootfs`),
    ...layers.filter((name) => names.includes(name)).map((name) => `layers/${name}/tree`),
  ];
  return places.map((place) => [place, describeTree(join(cacheDir, "v1", place))]);
}

/** Stages the image in the cache while that goes wrong, with more arguments if there are some. */
export async function stageWith(
  { image }: CrashSite,
  {
    cacheDir,
    fault,
    args: more = [],
    ...options
  }: RunOptions & { cacheDir: string; fault?: Fault; args?: readonly string[] },
) {
  const env = { ...options.env, ...(fault && withFault(cacheDir, fault)) };
  const args = ["--quiet", "--cache-dir", cacheDir, ...more, image];
  return await stageRootfs(args, { ...options, env });
}

/** Expects that whatever can be seen in the cache is whole. */
export function expectWhole(site: CrashSite, cacheDir: string): void {
  const { entries, layers } = contents(cacheDir);
  expect(differingTrees(site, cacheDir, [...entries, ...layers])).toEqual([]);
}

/** What is not as it should be in entries and layers of those names, a line each. */
export function differingTrees(
  { trees }: CrashSite,
  cacheDir: string,
  names: readonly string[],
): readonly string[] {
  return visibleTrees(cacheDir, names).flatMap(([place, tree]) => {
    return diffTrees(trees.get(place) ?? [], tree, { names: ["the image", place] });
  });
}

/**
 * Expects that the next staging works, makes only what was not finished before, and leaves nothing
 * of those that were killed.
 */
export async function expectRecovery(site: CrashSite, cacheDir: string): Promise<Staged> {
  expectWhole(site, cacheDir);
  const before = contents(cacheDir);
  const staged = await stage(["--cache-dir", cacheDir, site.image]);
  const made = staged.layers.filter(({ reused }) => !reused).map(({ diffId }) => diffId);
  const finished = before.layers.map((name) => name.replace("sha256-", "sha256:"));
  expect(made.filter((diffId) => finished.includes(diffId))).toEqual([]);
  expect(contents(cacheDir).entries).toEqual([staged.key]);
  expectWhole(site, cacheDir);
  expect(leftovers(cacheDir)).toEqual([]);
  const index = readdirSync(join(cacheDir, "v1/index"));
  expect(index.filter((name) => !name.endsWith(".json"))).toEqual([]);
  expect(staged.rootfs.startsWith(`${cacheDir}/`)).toBe(true);
  return staged;
}
