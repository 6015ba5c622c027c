import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  array,
  boolean,
  type InferOutput,
  nullable,
  number,
  object,
  parse,
  picklist,
  string,
} from "valibot";
import type { StagedRootfs } from "../../../src/index.js";
import { locksIn } from "../../support/cache.js";
import { type RunOptions, type RunResult, stageRootfs } from "./cli.js";

const resultSchema = object({
  schemaVersion: number(),
  rootfs: string(),
  key: string(),
  imageId: string(),
  manifestDigest: nullable(string()),
  hit: boolean(),
  layers: array(object({ diffId: string(), reused: boolean(), unpackedSize: number() })),
  mountPoints: array(
    object({ target: string(), path: string(), kind: string(), created: boolean() }),
  ),
  warnings: array(object({ code: string(), count: number(), examples: array(string()) })),
  bytes: object({ read: number(), written: number(), reused: number() }),
});

/** What the program says with `--json`, as far as the tests use it. */
export type Staged = InferOutput<typeof resultSchema>;

/** Stages an image with `--json` and gives the result; a failure is an error with its message. */
export async function stage(args: readonly string[], options: RunOptions = {}): Promise<Staged> {
  return stagedBy(await stageRootfs(["--json", ...args], options));
}

/** Stages an image, and gives what a launch needs to know of it. */
export async function stagedForLaunch(
  args: readonly string[],
  options: RunOptions = {},
): Promise<StagedRootfs> {
  const { exitCode, stdout, stderr } = await stageRootfs(["--json", ...args], options);
  if (exitCode !== 0) throw new Error(`exit status ${exitCode}: ${stderr}`);
  return parse(launchableSchema, JSON.parse(stdout));
}

const launchableSchema = object({
  rootfs: string(),
  singularity: string(),
  imageId: string(),
  config: object({
    env: array(string()),
    entrypoint: nullable(array(string())),
    cmd: nullable(array(string())),
    workingDir: nullable(string()),
  }),
  mountPoints: array(
    object({
      target: string(),
      path: string(),
      kind: picklist(["dir", "file"]),
      created: boolean(),
    }),
  ),
});

/** The result in a run's stdout. */
export function stagedBy({ exitCode, stdout, stderr }: RunResult): Staged {
  if (exitCode !== 0) throw new Error(`exit status ${exitCode}: ${stderr}`);
  return parse(resultSchema, JSON.parse(stdout));
}

/** What a cache holds that should be there only while somebody works: paths below `v1`. */
export function leftovers(cacheDir: string): string[] {
  return ["tmp", "locks", "blobs"].flatMap((name) => {
    const directory = join(cacheDir, "v1", name);
    return existsSync(directory) ? locksIn(directory).map((file) => `${name}/${file}`) : [];
  });
}

/** The names of a cache's entries and layers. */
export function contents(cacheDir: string): { entries: string[]; layers: string[] } {
  const list = (name: string) => {
    const directory = join(cacheDir, "v1", name);
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  };
  return { entries: list("rootfs"), layers: list("layers") };
}
