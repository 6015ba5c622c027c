import { chmodSync, copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { copyPackageAsShipped } from "./package-copy.js";
import { firstClosedDirectory, makeScratchDir, scratchRoot } from "./places.js";
import { runAsOrdinaryUser } from "./users.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The copy of the package that tests execute; every user may read it. */
    packageDir: string;
    /** The Node that tests execute it with: the one that runs vitest, where all can run it. */
    nodePath: string;
  }
}

let packageDir: string | undefined;

/** Prepares what all end-to-end tests share: the package as a user gets it. */
export async function setup(project: TestProject): Promise<void> {
  const projectDir = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
  if (!existsSync(join(projectDir, "dist/main.js"))) {
    throw new Error("dist/main.js is missing: run `npm run build` before the e2e tests.");
  }
  const closed = firstClosedDirectory(scratchRoot());
  if (closed !== undefined) {
    throw new Error(`An ordinary user can't enter ${closed}: set TMPDIR to a directory all can.`);
  }
  packageDir = makeScratchDir("package", { mode: 0o755 });
  await copyPackageAsShipped(projectDir, packageDir);
  project.provide("packageDir", packageDir);
  project.provide("nodePath", await nodeForEverybody(packageDir));
}

/** Removes what {@link setup} made; the images are kept for the next run. */
export function teardown(): void {
  if (packageDir !== undefined) {
    rmSync(packageDir, { recursive: true, force: true });
  }
}

/** This Node, or a copy of it where it lies in a directory that only its owner can enter. */
async function nodeForEverybody(dir: string): Promise<string> {
  const everybodyCan = await runAsOrdinaryUser(process.execPath, ["--version"]).then(
    () => true,
    () => false,
  );
  if (everybodyCan) {
    return process.execPath;
  }
  const copy = join(dir, "node");
  copyFileSync(process.execPath, copy);
  chmodSync(copy, 0o755);
  return copy;
}
