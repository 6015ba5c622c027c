import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { singularityFiles } from "../../src/stage/singularity-files.js";
import { stageRootfs } from "../../src/stage.js";
import { file } from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

type Config = Parameters<typeof singularityFiles>[0];

const nothing: Config = { env: [], entrypoint: null, cmd: null };

function contentOf(path: string, config: Partial<Config>): string {
  const found = singularityFiles({ ...nothing, ...config }).find((each) => each.path === path);
  return found?.content ?? "";
}

describe("the runscript", () => {
  const show = ["printf", "[%s]"];

  function run(config: Partial<Config>, args: readonly string[]): string {
    const script = `${scratchDirectory()}/runscript`;
    writeFileSync(script, contentOf("runscript", config));
    return execFileSync("/bin/sh", [script, ...args], { encoding: "utf8" });
  }

  test.each<[string, Partial<Config>, string[], string]>([
    ["Entrypoint and Cmd", { entrypoint: show, cmd: ["a b", "$c'd"] }, [], "[a b][$c'd]"],
    ["what is given in place of Cmd", { entrypoint: show, cmd: ["a"] }, ["x y", ""], "[x y][]"],
    ["Cmd alone", { cmd: [...show, "`x`\n"] }, [], "[`x`\n]"],
    ["what is given alone", { cmd: ["false"] }, [...show, "*"], "[*]"],
    ["Entrypoint alone", { entrypoint: [...show, "\\"] }, [], "[\\]"],
    ["Entrypoint with empty lists", { entrypoint: [...show, ""], cmd: [] }, [], "[]"],
    ["what is given to an image that says nothing", {}, [...show, "a"], "[a]"],
  ])("runs %s", (_, config, args, said) => {
    expect(run(config, args)).toBe(said);
  });

  test("says so where there is nothing to run", () => {
    expect(() => run({}, [])).toThrow(/The image does not say what to run/);
  });
});

describe("the environment", () => {
  test("is the image's, whatever the values hold, but for what no shell can set", () => {
    const odd = "a,b=c $HOME `id` 'q' \"d\" \\n\n*";
    const env = [`ODD=${odd}`, "EMPTY=", "HOME=/x", "UID=5", "my.var=1", "1ST=1", "no-equals"];
    const script = `${scratchDirectory()}/env.sh`;
    writeFileSync(script, contentOf("env/10-image.sh", { env }));
    const show = `. ${script}; printf '%s\\0' "$ODD" "\${EMPTY-unset}" "$HOME"`;
    const said = execFileSync("/bin/sh", ["-ec", show], { encoding: "utf8", env: { HOME: "/h" } });
    expect(said.split("\0")).toEqual([odd, "", "/h", ""]);
  });

  test("ends with the file after which Apptainer adds its caller's", () => {
    const names = singularityFiles(nothing).map(({ path }) => path);
    expect(names.filter((path) => path.startsWith("env/")).sort()).toEqual([
      "env/10-image.sh",
      "env/99-base.sh",
    ]);
    expect(contentOf("env/99-base.sh", {})).toBe("#!/bin/sh\n");
  });
});

describe("an entry", () => {
  const image = () => archiveFile([[file("f", "")]], { config: { Cmd: ["/bin/app"] } });

  /** The entry as an earlier version would have left it. */
  function forget(rootfs: string): void {
    const entryFile = join(dirname(rootfs), "entry.json");
    const { details, ...entry } = JSON.parse(readFileSync(entryFile, "utf8"));
    const { singularity: _, ...others } = details;
    writeFileSync(entryFile, JSON.stringify({ ...entry, details: others }));
    rmSync(join(dirname(rootfs), "singularity.d"), { recursive: true });
  }

  test("has the files beside its rootfs, executable, and none in it", async () => {
    const cacheDir = `${scratchDirectory()}/cache`;
    const { rootfs, singularity } = await stageRootfs(image(), { cacheDir });
    expect(singularity).toBe(join(dirname(rootfs), "singularity.d"));
    const names = readdirSync(singularity ?? "", { recursive: true, encoding: "utf8" }).sort();
    expect(names).toEqual([
      ...["actions", "actions/exec", "actions/run", "actions/shell", "actions/start"],
      ...["env", "env/10-image.sh", "env/99-base.sh", "libs", "runscript", "startscript"],
    ]);
    for (const name of names) {
      expect(lstatSync(`${singularity}/${name}`).mode & 0o7777, name).toBe(0o755);
    }
    expect(readFileSync(`${singularity}/runscript`, "utf8")).toContain("/bin/app");
    expect(existsSync(`${rootfs}/.singularity.d`)).toBe(false);
  });

  test("of before gets the files when it is asked for again, and then is a hit", async () => {
    const [archive, cacheDir] = [image(), `${scratchDirectory()}/cache`];
    const { rootfs, singularity } = await stageRootfs(archive, { cacheDir });
    forget(rootfs);
    const again = await stageRootfs(archive, { cacheDir });
    expect(again).toMatchObject({ hit: true, rootfs, singularity });
    expect(existsSync(`${singularity}/runscript`)).toBe(true);
    const record = () => lstatSync(join(dirname(rootfs), "entry.json")).ino;
    const before = record();
    expect(await stageRootfs(archive, { cacheDir })).toMatchObject({ hit: true, singularity });
    expect(record()).toBe(before);
  });
});
