import { randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, inject, test, vi } from "vitest";
import { buildOnce } from "./support/build-once.js";
import { freshCacheDir, makePrivateDir } from "./support/cache-dir.js";
import { runArgv } from "./support/cli.js";
import { missingNeeds, requirePrograms, testNeeding } from "./support/programs.js";
import { traceReads } from "./support/strace-reads.js";
import { describeTree } from "./support/tree.js";
import { diffTrees } from "./support/tree-diff.js";
import { isRoot, runAsOrdinaryUser, userFor } from "./support/users.js";

describe("what a test needs", () => {
  const withEnvironment = (env: Record<string, string>, body: () => void): void => {
    for (const [name, value] of Object.entries(env)) {
      vi.stubEnv(name, value);
    }
    try {
      body();
    } finally {
      vi.unstubAllEnvs();
    }
  };

  test("is named together with its package where it is missing", () => {
    withEnvironment({ PATH: "/nonexistent" }, () => {
      expect(missingNeeds(["umoci", "bwrap", "umoci"])).toBe(
        "umoci is not installed (Debian package umoci); " +
          "bwrap is not installed (Debian package bubblewrap)",
      );
    });
  });

  test("makes the test skip with the reason, but fail where CI is set", () => {
    const skip = vi.fn<(note: string) => void>();
    withEnvironment({ PATH: "/nonexistent", CI: "" }, () => {
      requirePrograms({ skip }, ["tar"]);
    });
    expect(skip.mock.calls).toEqual([["tar is not installed (Debian package tar)"]]);
    withEnvironment({ PATH: "/nonexistent", CI: "true" }, () => {
      expect(() => requirePrograms({ skip }, ["tar"])).toThrow("with CI set");
    });
  });
});

describe("the ordinary user", () => {
  const rootTest = testNeeding(["root"]);

  rootTest("has no account, no groups, no home and no environment but PATH", async () => {
    const { uid, gid } = userFor("ordinary");
    const { stdout, exitCode } = await runArgv([
      "sh",
      "-c",
      "id -u; id -g; id -G; env; id -un 2>&1",
    ]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.slice(0, 3)).toEqual([`${uid}`, `${gid}`, `${gid}`]);
    expect(lines.slice(3).map((line) => line.split("=")[0])).toEqual(
      expect.not.arrayContaining(["HOME", "USER", "LOGNAME"]),
    );
    expect(exitCode).toBe(1);
  });

  test("can run Node, and load each dependency of the packaged program", async () => {
    const packageDir = inject("packageDir");
    const script = `
      const { readFileSync } = await import("node:fs");
      const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
      for (const name of Object.keys(dependencies)) await import(name);
      console.log(Object.keys(dependencies).length);`;
    const result = await runArgv([inject("nodePath"), "--input-type=module", "-e", script], {
      cwd: packageDir,
    });
    expect(result).toMatchObject({ stderr: "", exitCode: 0 });
    expect(Number(result.stdout)).toBeGreaterThan(0);
    expect(existsSync(join(packageDir, "node_modules/vitest"))).toBe(false);
  });
});

describe("running a program", () => {
  test("reports output, exit status and signal as they are", async () => {
    expect(
      await runArgv(["sh", "-c", 'cat; echo "$X" >&2; exit 3'], {
        input: "in\n",
        env: { X: "err" },
      }),
    ).toEqual({ stdout: "in\n", stderr: "err\n", exitCode: 3, signal: undefined });
  });

  test("kills it when asked to", async () => {
    const dir = freshCacheDir("ordinary");
    const result = await runArgv(["sh", "-c", `: >${dir}/started; exec sleep 60`], {
      killWhen: { condition: () => existsSync(join(dir, "started")) },
    });
    expect(result).toMatchObject({ exitCode: undefined, signal: "SIGKILL" });
  });

  test("takes one that does not end, or does not start, for an error", async () => {
    await expect(runArgv(["sleep", "60"], { timeoutMs: 50 })).rejects.toThrow("still ran after");
    await expect(runArgv(["/nonexistent/program"])).rejects.toThrow("could not be started");
  });
});

describe("a private directory", () => {
  test("is removed by its owner, and says when that fails", async () => {
    const dir = makePrivateDir("ordinary");
    const script = `mkdir ${dir.path}/shut; : >${dir.path}/shut/file; chmod 0555 ${dir.path}/shut`;
    await runAsOrdinaryUser("sh", ["-c", script]);
    await expect(dir.remove()).rejects.toThrow("Permission denied");
    expect(existsSync(dir.path)).toBe(false);

    const empty = makePrivateDir("ordinary");
    await empty.remove();
    expect(existsSync(empty.path)).toBe(false);
  });
});

describe("building once", () => {
  test("builds what many ask for at once a single time, and nothing half-made stays", async () => {
    const key = randomUUID();
    let builds = 0;
    const recipe = {
      name: "harness",
      key,
      build: async (dir: string) => {
        builds += 1;
        writeFileSync(join(dir, "half"), "");
        if (builds === 1) {
          throw new Error("the first one fails");
        }
        await sleep(50);
        writeFileSync(join(dir, "whole"), "");
      },
    };
    await expect(buildOnce(recipe)).rejects.toThrow("the first one fails");
    const dirs = await Promise.all([buildOnce(recipe), buildOnce(recipe), buildOnce(recipe)]);
    const [dir] = dirs;
    expect(new Set(dirs).size).toBe(1);
    expect(builds).toBe(2);
    expect(readdirSync(dir)).toEqual(["half", "whole"]);
    expect(readdirSync(dirname(dir)).filter((name) => name.startsWith("harness-"))).toEqual([
      `harness-${key}`,
    ]);
    rmSync(dir, { recursive: true });
  });
});

describe("counting reads", () => {
  const straceTest = testNeeding(["strace"]);

  straceTest(
    "sees what a program and its children read of a file, and what they open",
    async () => {
      const dir = freshCacheDir("ordinary");
      const file = join(dir, "the-image.tar");
      await runAsOrdinaryUser("sh", ["-c", `head -c 1000000 /dev/zero >${file}`]);
      const script = `
      const { openSync, readSync } = require("node:fs");
      readSync(openSync(${JSON.stringify(file)}), Buffer.alloc(4096), 0, 4096, 8192);
      require("node:child_process").execFileSync("head", ["-c", "512", ${JSON.stringify(file)}]);
      require("node:fs").promises.readFile("/proc/self/status");`;
      const trace = await traceReads([inject("nodePath"), "-e", script], "the-image.tar");
      expect(trace.result).toMatchObject({ stderr: "", exitCode: 0 });
      expect(trace.bytesRead).toBe(4096 + 512);
      expect(trace.opened).toContain(file);
    },
  );
});

describe("comparing trees", () => {
  /** A tree with a file, a link and a directory. */
  function plant(): string {
    const root = freshCacheDir(isRoot() ? "root" : "ordinary");
    mkdirSync(join(root, "dir"));
    writeFileSync(join(root, "file"), "content");
    symlinkSync("file", join(root, "link"));
    linkSync(join(root, "file"), join(root, "dir/same-file"));
    return root;
  }

  test("finds every difference that it is not told to overlook", () => {
    const [a, b] = [plant(), plant()];
    const differences = (): string[] =>
      diffTrees(describeTree(a), describeTree(b), { ignoreFields: ["mtimeUs"] });
    expect(differences()).toEqual([]);

    writeFileSync(join(b, "file"), "changed");
    chmodSync(join(b, "dir"), 0o700);
    symlinkSync("elsewhere", join(b, "new"));
    expect(differences()).toEqual([
      expect.stringMatching(/^dir "dir": mode is 0755 in first, 0700 in second$/),
      expect.stringMatching(/^file "dir\/same-file": sha256 is /),
      expect.stringMatching(/^file "file": sha256 is /),
      'symlink "new" is only in second',
    ]);
  });

  test("looks at times to the microsecond, and at hard links", () => {
    const root = plant();
    const before = describeTree(root);
    utimesSync(join(root, "file"), 1, 1.000003);
    const moved = diffTrees(before, describeTree(root), { ignoreFields: ["size"] });
    expect(moved).toHaveLength(2);
    expect(moved[0]).toMatch(/mtimeUs is \d+ in first, 100000[23] in second$/);
    expect(before.find(({ path }) => path === "file")?.hardLinkGroup).toBe("dir/same-file");
  });
});
