import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv, stageRootfs } from "./support/cli.js";
import { CountedPrograms } from "./support/counted-programs.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { settingsFile } from "./support/settings-file.js";
import { leftovers } from "./support/staged.js";
import { isRoot, type UserKind } from "./support/users.js";
import { withoutUserNamespaces } from "./support/without-user-namespaces.js";

const sandboxTest = testNeeding([...debianImageNeeds, "bwrap"]);
const rootTest = testNeeding([...debianImageNeeds, "bwrap", "root"]);

const users: readonly UserKind[] = isRoot() ? ["root", "ordinary"] : ["ordinary"];

/** What each run needs: a cache of the user's, bwrap that is counted, and an image. */
async function counted(owner: UserKind = "ordinary") {
  const programs = new CountedPrograms();
  programs.wrap("bwrap");
  const { forms } = await debianImage();
  const cacheDir = freshCacheDir(owner);
  const args = ["--cache-dir", cacheDir, "--bwrap", forms.dockerArchive, "--", "/bin/true"];
  const run = () => stageRootfs(["run", "-q", ...args], { env: programs.env, as: owner });
  return { programs, cacheDir, args, run };
}

/** Changes what is remembered of the node's runtimes. */
function changeRecords(cacheDir: string, change: (text: string) => string): number {
  const index = join(cacheDir, "v1/index");
  const records = readdirSync(index).filter((name) => name.startsWith("node-"));
  for (const name of records) {
    const text = readFileSync(join(index, name), "utf8");
    const changed = change(text);
    expect(changed).not.toBe(text);
    writeFileSync(join(index, name), changed);
  }
  return records.length;
}

describe("the choice of a runtime", () => {
  sandboxTest.for(users)("is tried once, as %s, and remembered", async (owner) => {
    const { programs, cacheDir, run } = await counted(owner);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    // Its version, the trial, and the command itself.
    expect(programs.calls("bwrap")).toBe(3);
    expect(leftovers(cacheDir)).toEqual([]);
    expect(await run()).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    expect(programs.calls("bwrap")).toBe(4);
  });

  sandboxTest("is made anew for another program in the same place", async () => {
    const { programs, run } = await counted();
    await run();
    programs.wrap("bwrap");
    await run();
    expect(programs.calls("bwrap")).toBe(6);
  });

  sandboxTest.for([
    ["kernel", /\\"kernel\\":\\"[^"]*\\"/, '\\"kernel\\":\\"4.18.0\\"'],
    ["boot", /\\"boot\\":\\"[^"]*\\"/, '\\"boot\\":\\"other\\"'],
    ["host", /\\"host\\":\\"[^"]*\\"/, '\\"host\\":\\"elsewhere\\"'],
  ] as const)("does not go by what was found out under another %s", async ([, from, to]) => {
    const { programs, cacheDir, run } = await counted();
    await run();
    expect(changeRecords(cacheDir, (text) => text.replace(from, to))).toBe(1);
    expect((await run()).exitCode).toBe(0);
    expect(programs.calls("bwrap")).toBe(6);
  });

  sandboxTest("believes for ten minutes that something does not work", async () => {
    const { programs, cacheDir, run } = await counted();
    programs.setBroken(true);
    const broken = await run();
    expect(broken).toMatchObject({ exitCode: 125, stdout: "" });
    expect(broken.stderr).toMatch(/^stage-rootfs: bwrap failed with status 3: it hurts/);
    programs.setBroken(false);
    expect((await run()).exitCode).toBe(125);
    expect(programs.calls("bwrap")).toBe(1);
    const elevenMinutesAgo = Date.now() - 11 * 60_000;
    changeRecords(cacheDir, (text) =>
      text.replace(/"foundAt":\d+/, `"foundAt":${elevenMinutesAgo}`),
    );
    expect((await run()).exitCode).toBe(0);
  });

  sandboxTest("passes over what does not work, and says why in one line", async () => {
    const { programs, args } = await counted();
    programs.makeUseless("docker");
    const runtimes = (types: string) =>
      ["local", "slurm"].map((kind) => {
        return `[targets.c.${kind}]\nexecution_types = ${kind === "slurm" ? types : '["bwrap"]'}\n`;
      });
    const text = runtimes('["docker", "bwrap"]').join("");
    const config = settingsFile("config.toml", `[targets.c]\n${text}`);
    const line = [
      "command",
      "--json",
      "--config",
      config,
      ...args.filter((arg) => arg !== "--bwrap"),
    ];
    await stageRootfs(line, { env: programs.env });
    const local = await stageRootfs(line, { env: programs.env });
    expect(local.stderr).toBe("");
    expect(JSON.parse(local.stdout)).toMatchObject({
      runtime: { name: "bwrap", program: join(programs.directory, "bwrap") },
    });
    const job = await stageRootfs(line, { env: { ...programs.env, SLURM_JOB_ID: "4711" } });
    expect(job.stderr).toMatch(
      /^stage-rootfs: warning: docker failed with status 9: no use; .*\n$/,
    );
    expect(JSON.parse(job.stdout)).toMatchObject({ runtime: { name: "bwrap" } });
  });

  rootTest("is tried each time in a cache that somebody else shares", async () => {
    const programs = new CountedPrograms();
    programs.wrap("bwrap");
    const { forms } = await debianImage();
    const cacheDir = join(freshCacheDir("root"), "..", "shared");
    const cache = ["--cache-dir", cacheDir];
    await stageRootfs(["--shared", ...cache, forms.dockerArchive], { as: "root" });
    const args = ["run", ...cache, "--bwrap", forms.dockerArchive, "--", "/bin/true"];
    for (const calls of [3, 6]) {
      const run = await stageRootfs(args, { env: programs.env });
      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      expect(programs.calls("bwrap")).toBe(calls);
    }
  });

  rootTest("sees that user namespaces were switched off, and says so", async () => {
    const { cacheDir, args, run } = await counted();
    expect((await run()).exitCode).toBe(0);
    const off = await runArgv(withoutUserNamespaces(["run", ...args]), { as: "root" });
    expect(off).toMatchObject({ exitCode: 125, stdout: "" });
    expect(off.stderr).toContain("user.max_user_namespaces is 0");
    const doctor = ["doctor", "--json", "--bwrap", "--cache-dir", cacheDir];
    const found = await runArgv(withoutUserNamespaces(doctor), { as: "root" });
    expect(found.exitCode).toBe(125);
    expect(JSON.parse(found.stdout)).toMatchObject({
      isReady: false,
      limits: { maxUserNamespaces: 0 },
      runtimes: [{ name: "bwrap", works: false }],
    });
  });
});
