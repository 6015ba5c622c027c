import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Compiles the sources into `directory`, for tests that start processes of their own: the oldest
 * Node that is supported does not run TypeScript.
 * @returns where `src` is, compiled
 */
export function compileSources(directory: string): string {
  const out = `${directory}/compiled`;
  execFileSync(`${project}/node_modules/.bin/tsc`, ["-p", project, "--outDir", out, "--noCheck"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  symlinkSync(`${project}/node_modules`, `${directory}/node_modules`);
  symlinkSync(`${project}/package.json`, `${directory}/package.json`);
  return out;
}
