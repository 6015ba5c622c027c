import { lstatSync, mkdirSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { assembleRootfs } from "../../../src/extract/assemble-rootfs.js";
import { type LayerRecord, parseLayerRecord } from "../../../src/extract/layer-record.js";
import type { OwnershipPolicy } from "../../../src/extract/policy.js";
import { type UnpackLayerTask, unpackLayer } from "../../../src/extract/unpack-layer.js";
import type { UnpackedLayer } from "../../../src/extract/unpacked-layer.js";
import { bytesOfText, pathBelow } from "../../../src/host/byte-string.js";
import { emptyDirectory, removeTree } from "../../../src/host/remove-tree.js";
import { createMountPoints } from "../../../src/mountpoints/create.js";
import { parseMountRequest, standardMountRequests } from "../../../src/mountpoints/requests.js";
import { defaultLimits, type Limits } from "../../../src/oci/limits.js";
import { asUser } from "../../support/as-user.js";
import { checkTree } from "../../support/check-tree.js";
import type { Dice } from "../dice.js";
import type { Site } from "../fuzz-case.js";
import { imageCodes, type Outcome, outcomeOf, outcomeOfAsync } from "../outcome.js";

/** A layer in a file, and what it should be. */
export type StoredLayer = Pick<UnpackLayerTask, "span" | "diffId" | "digest">;

/** How the layers of one image are unpacked. */
type Settings = Pick<UnpackLayerTask, "policy" | "limits">;

/**
 * Unpacks layers, puts them together and makes mount points, with settings that the dice choose,
 * and checks what came of each step.
 */
export async function stageLayers(
  layers: readonly StoredLayer[],
  options: Site & { workingDir: string | null },
): Promise<string> {
  const { dice } = options;
  const isRoot = process.geteuid?.() === 0;
  const isUser = !isRoot || dice.chance(0.15);
  const settings = { policy: drawPolicy(dice, isUser), limits: drawLimits(dice, isRoot && isUser) };
  const work = `${options.directory}/work`;
  mkdirSync(work);
  const stage = async () => {
    const outcome = await unpackAndAssemble(layers, { ...options, ...settings, work });
    // Nobody needs to be root to delete their own cache.
    emptyDirectory(work, "");
    return outcome;
  };
  const files = [work, ...layers.map(({ span }) => span.path)];
  return isRoot && isUser ? await asUser(files, stage) : await stage();
}

function drawPolicy(dice: Dice, isUser: boolean): OwnershipPolicy {
  const owner = !isUser && dice.chance(0.7) ? "image" : "squash";
  return { owner, setuid: dice.chance(0.9) ? "drop" : "keep" };
}

function drawLimits(dice: Dice, isDisguised: boolean): Limits {
  // What lies beyond PATH_MAX is reached by way of /proc/self/fd, which the kernel closes to a
  // process that has changed its user.
  const depth = isDisguised ? 14 : defaultLimits.depth;
  if (dice.chance(0.9)) return { ...defaultLimits, depth };
  return { ...defaultLimits, depth: 5, entries: 14, file: 1000, unpacked: 2000 };
}

type Work = Site & Settings & { workingDir: string | null; work: string };

async function unpackAndAssemble(layers: readonly StoredLayer[], how: Work): Promise<string> {
  const unpacked: UnpackedLayer[] = [];
  for (const [i, layer] of layers.entries()) {
    const tree = `${how.work}/tree-${i}`;
    const outcome = await unpack({ ...layer, ...how, tree }, how);
    how.canary.check();
    if (!outcome.ok) return `${outcome.refusal.code} of a layer`;
    checkTree(tree, how.policy);
    checkRecord(outcome.value);
    unpacked.push({ tree, record: outcome.value });
  }
  return assemble(unpacked, how);
}

/** Unpacks a layer; now and then a second time, which must end the same way. */
async function unpack(
  { span, diffId, digest, tree, policy, limits }: UnpackLayerTask,
  { dice }: Site,
): Promise<Outcome<LayerRecord>> {
  const task = { span, diffId, digest, tree, policy, limits };
  mkdirSync(tree, { mode: 0o700 });
  const outcome = await outcomeOfAsync(() => unpackLayer(task), imageCodes);
  if (!dice.chance(0.15)) return outcome;
  removeTree(tree);
  mkdirSync(tree, { mode: 0o700 });
  const again = await outcomeOfAsync(() => unpackLayer(task), imageCodes);
  if (told(outcome) !== told(again)) {
    throw new Error(`first ${told(outcome)}, then ${told(again)}`);
  }
  return again;
}

function told(outcome: Outcome<LayerRecord>): string {
  return JSON.stringify(outcome.ok ? outcome.value : outcome.refusal.toReport());
}

/** What the cache reads back must be what was written. */
function checkRecord(record: LayerRecord): void {
  const readBack = parseLayerRecord(JSON.parse(JSON.stringify(record)));
  if (isDeepStrictEqual(readBack, record)) return;
  throw new Error(`the record ${JSON.stringify(record)} is read as ${JSON.stringify(readBack)}`);
}

function assemble(layers: readonly UnpackedLayer[], how: Work): string {
  const { work, canary } = how;
  const rootfs = `${work}/rootfs`;
  const scratch = `${work}/scratch`;
  mkdirSync(rootfs, { mode: 0o700 });
  mkdirSync(scratch, { mode: 0o700 });
  const assembled = outcomeOf(() => assembleRootfs(layers, { rootfs, scratch }), imageCodes);
  canary.check();
  if (!assembled.ok) return `${assembled.refusal.code} of a stack`;
  checkTree(rootfs, how.policy);
  const mounted = outcomeOf(() => makeMountPoints(rootfs, how), [...imageCodes, "USAGE"]);
  canary.check();
  checkTree(rootfs, how.policy);
  return mounted.ok ? mounted.value : `${mounted.refusal.code} of a mount point`;
}

const extraMounts = [
  "/out/new:dir",
  "/out/f:file",
  "/anywhere/f:file",
  "/climb/dir/made",
  "/a/l/a/l/new:dir",
  "/dangling:dir",
  "/bin/loop:file",
  "/l/x",
  "/f/below/more",
];

function makeMountPoints(rootfs: string, { dice, workingDir }: Work): string {
  const requests = [
    ...standardMountRequests({ workingDir, nixStore: dice.chance(0.2) }),
    ...extraMounts.filter(() => dice.chance(0.4)).map(parseMountRequest),
  ];
  const mayReplace = dice.chance(0.8);
  const plan = createMountPoints(rootfs, { requests, mayReplace: () => mayReplace });
  if (plan.clashes.length > 0) return "a clash";
  for (const { target, path, kind } of plan.mountPoints) {
    const stat = lstatSync(pathBelow(rootfs, bytesOfText(path.slice(1))));
    const found = stat.isDirectory() ? "dir" : stat.isSymbolicLink() ? "symlink" : "file";
    if (found !== kind) throw new Error(`${target} at ${path} is a ${found}, not a ${kind}`);
  }
  return "a rootfs";
}
