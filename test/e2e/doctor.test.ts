import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { stageRootfs } from "./support/cli.js";
import { CountedPrograms } from "./support/counted-programs.js";
import { testNeeding } from "./support/programs.js";
import { isRoot, type UserKind } from "./support/users.js";

const doctorTest = testNeeding(["bwrap"]);

const users: readonly UserKind[] = isRoot() ? ["root", "ordinary"] : ["ordinary"];

/** Runtimes that keep their own files elsewhere stay out of this. */
function programs(): CountedPrograms {
  const made = new CountedPrograms();
  for (const name of ["apptainer", "podman", "docker"]) made.makeUseless(name);
  return made;
}

describe("doctor", () => {
  doctorTest.for(users)("says as %s what the node can do, and changes nothing", async (as) => {
    const parent = freshCacheDir(as);
    const args = ["doctor", "--cache-dir", join(parent, "cache")];
    const run = await stageRootfs(args, { as, env: programs().env });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const lines = run.stdout.trimEnd().split("\n");
    for (const line of lines) expect(line).toMatch(/^(?:ok|no|--| {2}) {2}/);
    expect(run.stdout).toMatch(/^ok {2}bwrap \d+\.\d+\.\d+ +plain, /m);
    expect(run.stdout).toMatch(/^ok {2}cache +\/.*, would be made$/m);
    expect(run.stdout).toMatch(/^no {2}docker 9\.9\.9 +failed with status 9: no use\n {8,}\S/m);
    expect(lines.at(-1)).toMatch(/^ok {2}in all +images can be staged, and run with bwrap$/);
    expect(readdirSync(parent)).toEqual([]);
  });

  doctorTest("is JSON for programs, with the version of each runtime", async () => {
    const cacheDir = freshCacheDir("ordinary");
    const run = await stageRootfs(["doctor", "--json", "--cache-dir", cacheDir], {
      env: programs().env,
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toMatchObject({
      schemaVersion: 1,
      isReady: true,
      cache: { directory: cacheDir, standing: "own", hasLinks: true, problem: null },
      runtimes: [
        { name: "bwrap", works: true, version: expect.stringMatching(/^\d+\.\d+/) },
        { name: "apptainer", works: false, version: "9.9.9" },
        { name: "podman", works: false, version: "9.9.9" },
        { name: "docker", works: false, version: "9.9.9" },
        { name: "native", works: true, isolates: false },
      ],
    });
  });

  doctorTest("goes on without PATH and HOME", async () => {
    const args = ["doctor", "--bwrap", "--cache-dir", freshCacheDir("ordinary")];
    const run = await stageRootfs(args, { env: { PATH: "" } });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const odd = await stageRootfs(args, { env: { PATH: "relative:/nowhere", HOME: "/nowhere" } });
    expect(odd).toMatchObject({ exitCode: 0, stderr: "" });
  });

  doctorTest("ends with 125 where no runtime that isolates works", async () => {
    const args = ["--cache-dir", freshCacheDir("ordinary")];
    for (const choice of ["--podman", "--native"]) {
      const run = await stageRootfs(["doctor", choice, "-q", ...args], { env: programs().env });
      expect(run).toMatchObject({ exitCode: 125, stderr: "" });
      expect(run.stdout).toMatch(/^no {2}in all +images can be staged, but no runtime works$/m);
      expect(run.stdout).not.toMatch(/^(?:ok|--)/m);
    }
  });

  doctorTest("ends as staging would where the cache is no good", async () => {
    const open = freshCacheDir("ordinary");
    chmodSync(open, 0o777);
    const run = await stageRootfs(["doctor", "--bwrap", "--cache-dir", open]);
    expect(run).toMatchObject({ exitCode: 77, stderr: "" });
    expect(run.stdout).toMatch(/^no {2}cache +.* can be written to by others\n +\S/m);
    expect(existsSync(join(open, "v1"))).toBe(false);
  });

  doctorTest("takes nothing that it does not know", async () => {
    expect(await stageRootfs(["doctor", "image.tar"])).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await stageRootfs(["doctor", "--jobs", "2"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
