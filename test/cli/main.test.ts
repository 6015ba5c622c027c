import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { captureOutput } from "../support/captured-output.js";
import { FakePrograms } from "../support/fake-programs.js";
import { file, packLayer } from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

const layers = [[file("f", "content", { mode: 0o755 }), file("su", "", { mode: 0o4755 })]];

async function run(...argv: readonly string[]) {
  const output = captureOutput();
  const status = await main(argv);
  return { status, ...output };
}

function cacheOption(): string {
  return `--cache-dir=${scratchDirectory()}/cache`;
}

describe("stage-rootfs IMAGE", () => {
  test("prints the rootfs and nothing else, and warns once", async () => {
    const [image, cache] = [archiveFile(layers), cacheOption()];
    const cold = await run(cache, image);
    expect(cold.status).toBe(0);
    expect(cold.stdout).toMatch(/^\/.*\/rootfs\n$/);
    expect(readFileSync(`${cold.stdout.trimEnd()}/f`, "utf8")).toBe("content");
    expect(cold.stderr).toMatch(/^stage-rootfs: warning: setuid .*\(1: su\)\n$/);
    const warm = await run(cache, image);
    expect(warm).toEqual({ status: 0, stdout: cold.stdout, stderr: "" });
  });

  test("is quiet where that is asked for", async () => {
    expect(await run(cacheOption(), "-q", archiveFile(layers))).toMatchObject({ stderr: "" });
  });

  test("prints the result as one JSON object on one line", async () => {
    const args = [cacheOption(), "--json", "--lease=job:17", archiveFile(layers)];
    const { status, stdout } = await run(...args);
    expect(status).toBe(0);
    expect(stdout.match(/\n/g)).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, hit: false, lease: "slurm-17" });
  });

  test("tells its progress in words or as JSON", async () => {
    const plain = await run(cacheOption(), "--progress=plain", archiveFile(layers));
    expect(plain.stderr).toContain("stage-rootfs: putting the rootfs together\n");
    const json = await run(cacheOption(), "--progress=json", archiveFile([[file("g")]]));
    const events = json.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual(["layer", "layer", "assembling"]);
  });

  test("passes the limits on", async () => {
    const { status, stderr } = await run(cacheOption(), "--max-entries=1", archiveFile(layers));
    expect(status).toBe(65);
    expect(stderr).toContain("--max-entries");
  });
});

describe("stage-rootfs command IMAGE", () => {
  // Which runtime this machine has is of no account.
  beforeEach(() => {
    new FakePrograms().make("bwrap", "echo bubblewrap 0.8.0");
  });

  test("prints a line for a shell", async () => {
    const { status, stdout } = await run(
      "command",
      cacheOption(),
      archiveFile(layers),
      "--",
      "/f",
      "a b",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^env -i PATH=\S+ HOME=\/ \S*bwrap --unshare-all .* -- \/f 'a b'\n$/);
  });

  test("prints argv and env as JSON", async () => {
    const argv = ["command", "--json", cacheOption(), "--env", "A=1", "--chdir", "/tmp"];
    const { stdout } = await run(...argv, archiveFile(layers), "--", "/f");
    const printed: unknown = JSON.parse(stdout);
    expect(printed).toMatchObject({ schemaVersion: 1, env: { A: "1", HOME: "/" } });
    expect(printed).toHaveProperty("argv", expect.arrayContaining(["--chdir", "/tmp", "--", "/f"]));
  });

  test.each([
    ["of a name that is none", ["--instance", "a b"], /"a b" is no name for an instance/],
    ["of another runtime", ["--instance", "mine", "--bwrap"], /can't both be the runtime/],
  ])("refuses an instance %s, before anything is staged", async (_, options, says) => {
    const refused = await run("command", "/nowhere", ...options);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(says);
  });

  test("gives binds a place of their source's kind", async () => {
    const source = scratchDirectory();
    const argv = ["command", "--json", cacheOption(), "--bind", `${source}:/data/in:ro`];
    const { stdout } = await run(...argv, archiveFile(layers), "--", "/f");
    const printed: { argv: string[]; rootfs: string } = JSON.parse(stdout);
    const at = printed.argv.indexOf("/data/in");
    expect(printed.argv.slice(at - 2, at + 1)).toEqual(["--ro-bind", source, "/data/in"]);
  });

  test("says so where there is nothing to run, or nothing to bind", async () => {
    const nothing = await run("command", cacheOption(), archiveFile(layers));
    expect(nothing).toMatchObject({ status: 2, stdout: "" });
    const missing = `${scratchDirectory()}/missing`;
    const bind = await run(
      "command",
      cacheOption(),
      "--bind",
      `${missing}:/x`,
      archiveFile(layers),
      "--",
      "/f",
    );
    expect(bind.status).toBe(125);
    expect(bind.stderr).toContain(`${missing} does not exist (`);
  });
});

test("all that is missing of what the sandbox is to see is found before anything is staged", async () => {
  const paths = ["/nowhere/a", "/nowhere/b"];
  const binds = paths.flatMap((path) => ["--input", path]);
  const { status, stderr } = await run("run", "--json", ...binds, "/nowhere/image.tar");
  expect(status).toBe(125);
  expect(JSON.parse(stderr)).toMatchObject({
    error: {
      code: "SANDBOX",
      findings: paths.map((path) => ({
        code: "BIND_SOURCE_MISSING",
        message: `${path} does not exist`,
      })),
    },
  });
});

describe("help and version", () => {
  test.each([["--help"], ["-h"], ["--help", "image.tar"], ["image.tar", "-h"]])(
    "%s",
    async (...argv) => {
      const { status, stdout, stderr } = await run(...argv);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("stage-rootfs run IMAGE");
    },
  );

  test("of a command is its own", async () => {
    const { stdout } = await run("run", "--help");
    expect(stdout).toContain("--bind");
    expect(stdout).not.toContain("--version");
  });

  test("the version is the package's", async () => {
    const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    const { version }: { version: string } = JSON.parse(text);
    expect(await run("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a command line that is wrong", () => {
  const lines: readonly (readonly [readonly string[], string])[] = [
    [[], "no image was named"],
    [["run"], "no image was named"],
    [[""], "names no image"],
    [["a.tar", "b.tar"], 'one word too many: "b.tar"'],
    [["run", "a.tar", "ls"], "after --"],
    [["a.tar", "--", "ls"], "stage-rootfs run"],
    [["--bind", "/a:/b", "a.tar"], "--bind is no option of plain stage-rootfs"],
    [["--nonsense", "a.tar"], "--nonsense"],
    [["--jobs", "many", "a.tar"], "--jobs takes a whole number"],
    [["--jobs", "0", "a.tar"], "0 is no number of jobs"],
    [["verify", "--all", "--jobs", "0"], "0 is no number of jobs"],
    [["verify", "--all", "--seed", "5"], "a seed chooses a sample"],
    [["verify", "--all", "a.tar"], "--all goes without names"],
    [["release", "--all", "a.tar"], "--all goes without names"],
    [["--owner", "me", "a.tar"], "--owner takes image, squash"],
    [["--progress", "loud", "a.tar"], "--progress takes auto, plain, json, none"],
    [["--platform", "x", "a.tar"], "is not a platform"],
    [["--mount", "data", "a.tar"], "is not absolute"],
    [["--max-depth", "9999", "a.tar"], "9999 is no limit for depth"],
    [["run", "--bind", "/a", "a.tar"], "is no bind"],
    [["run", "--bind", "/a:/b:rx", "a.tar"], '"/a:/b:rx" is no bind'],
    [["run", "--ro-bind", "/a:/b:rw", "a.tar"], "read-only and writable"],
    [["run", "--cap-drop", "NET_RAVEN", "a.tar"], "is no capability"],
    [["run", "--output", process.execPath, "a.tar"], "is not a directory"],
    [["runn", "a.tar"], "there is no command runn (the nearest one is stage-rootfs run;"],
    [["--buind", "a:/b"], "there is no option --buind (the nearest one is --bind;"],
    [["run", "--env", "A", "a.tar"], "is no NAME=VALUE"],
    [["run", "--chdir", "x", "a.tar"], "--chdir x is not absolute"],
    [["docker:debian", "--quiet"], "docker:"],
  ];

  test.each(lines)("%j exits with 2 and says: %s", async (argv, message) => {
    const { status, stdout, stderr } = await run(...argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });

  test("is reported as JSON where that is asked for", async () => {
    const { status, stderr } = await run("--json");
    expect(status).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: "USAGE", hint: expect.any(String) },
    });
  });

  test("is reported as JSON even where it can't be parsed", async () => {
    const { stderr } = await run("--nonsense", "--json");
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "USAGE" } });
  });

  test("is not reported as JSON because the command to run has such an option", async () => {
    const { stderr } = await run("run", "--", "ls", "--json");
    expect(stderr).toMatch(/^stage-rootfs: no image/);
  });
});

describe("an image that is wrong", () => {
  test("is one line on stderr, nothing on stdout, and exit status 65", async () => {
    const image = archiveFile(layers, { stored: [packLayer([file("other")])] });
    const { status, stdout, stderr } = await run(cacheOption(), image);
    expect({ status, stdout }).toEqual({ status: 65, stdout: "" });
    expect(stderr).toMatch(/^stage-rootfs: layer sha256:[0-9a-f]{64}: .*\n$/);
  });

  test("with a name that could upset a terminal is named with escapes", async () => {
    const { status, stderr } = await run(cacheOption(), "/nowhere/\x1b[2J\nimage.tar");
    expect(status).toBe(66);
    expect(stderr).toContain("/nowhere/\\x1b[2J\\x0aimage.tar");
    expect(stderr.match(/\n/g)).toHaveLength(1);
  });

  test("as a JSON error keeps stdout empty too", async () => {
    const { status, stdout, stderr } = await run("--json", cacheOption(), "/nowhere/image.tar");
    expect({ status, stdout }).toEqual({ status: 66, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "NOT_FOUND" } });
  });
});
