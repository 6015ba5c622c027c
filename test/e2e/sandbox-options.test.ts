import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { type RunResult, runArgv, stageRootfs } from "./support/cli.js";
import { debianImage, debianImageNeeds } from "./support/debian-image.js";
import { testNeeding } from "./support/programs.js";
import { newerBwrap, unstableNeeds } from "./support/unstable-programs.js";
import { type UserKind, userFor } from "./support/users.js";
import { warmCaches } from "./support/warm-cache.js";

const sandboxTest = testNeeding([...debianImageNeeds, "bwrap"]);
const newerTest = testNeeding([...debianImageNeeds, "bwrap", ...unstableNeeds]);

const image = async () => (await debianImage()).forms.dockerArchive;
const cacheOf = warmCaches(image);

const everybody = ["root", "ordinary"] as const;

interface Inside {
  readonly as: UserKind;
  readonly options?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a shell script in the Debian image. */
async function inside(script: string, { as, options = [], env = {} }: Inside): Promise<RunResult> {
  const cache = ["--cache-dir", await cacheOf(as)];
  const words = ["run", "--bwrap", "-q", ...cache, ...options, await image()];
  return await stageRootfs([...words, "--", "/bin/sh", "-c", script], { as, env });
}

/** An environment in which the newer bwrap is found first. */
async function withNewer(): Promise<{ readonly PATH: string }> {
  return { PATH: `${dirname(await newerBwrap())}:${process.env["PATH"]}` };
}

const capabilities = 'set -- $(grep CapEff /proc/self/status); printf "%d\\n" "0x$2"';

/** Numbers of capabilities (linux/capability.h). */
const CAP_CHOWN = 0n;
const CAP_SYS_ADMIN = 21n;

const has = (text: string, capability: bigint) => ((BigInt(text.trim()) >> capability) & 1n) === 1n;

describe.each(everybody)("as %s", (as) => {
  sandboxTest("the command is who calls, unless --user or --uid-0 says otherwise", async () => {
    const script = 'echo "$(id -u):$(id -g)"; touch /scratch/"$1" 2>&1';
    const scratch = freshCacheDir(as);
    const bind = ["--bind", `${scratch}:/scratch`];
    const { uid, gid } = userFor(as);
    for (const [options, expected] of [
      [[], `${uid}:${gid}\n`],
      [["--user", "1234"], "1234:1234\n"],
      [["--user", "1234:567"], "1234:567\n"],
      [["--uid-0"], "0:0\n"],
    ] as const) {
      const run = await inside(script, { as, options: [...bind, ...options] });
      expect(run).toMatchObject({ stdout: expected, stderr: "", exitCode: 0 });
    }
  });

  sandboxTest("the host's name is the caller's, or that of --hostname", async () => {
    const host = readFileSync("/proc/sys/kernel/hostname", "utf8");
    expect((await inside("hostname", { as })).stdout).toBe(host);
    const named = await inside("hostname", { as, options: ["--hostname", "node-7.cluster"] });
    expect(named.stdout).toBe("node-7.cluster\n");
  });

  sandboxTest("there is no network but what --network host gives", async () => {
    const script = "grep : /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort";
    expect((await inside(script, { as })).stdout).toBe("lo\n");
    const devices = readFileSync("/proc/net/dev", "utf8").matchAll(/^ *([^: ]+):/gm);
    const names = [...devices].map(([, name]) => name).sort();
    const shared = await inside(script, { as, options: ["--network", "host"] });
    expect(shared.stdout.trim().split("\n").sort()).toEqual(names);
  });

  sandboxTest("--cap-drop ALL leaves no capability", async () => {
    const run = await inside(capabilities, { as, options: ["--cap-drop", "ALL"] });
    expect(run.stdout).toBe("0\n");
  });

  sandboxTest("the root can't be written to, not even by mounting it anew", async () => {
    const script = [
      "touch /x || echo refused",
      "/usr/bin/busybox mount -o remount,bind,rw / || echo refused",
      "/usr/bin/busybox mount -t tmpfs none /opt || echo refused",
      "touch /x || echo refused",
    ].join("\n");
    const run = await inside(script, { as });
    expect(run.stdout).toBe("refused\n".repeat(4));
  });

  sandboxTest("--input is read-only and --output is $out, where the command starts", async () => {
    const scratch = freshCacheDir(as);
    const { uid, gid } = userFor(as);
    mkdirSync(join(scratch, "in"));
    mkdirSync(join(scratch, "results"));
    writeFileSync(join(scratch, "in/data"), "data\n");
    await runArgv(["chown", "-R", `${uid}:${gid}`, scratch], { as: "root" });
    const options = ["--input", `${scratch}/in`, "--output", `${scratch}/results`];
    const script = `cat ${scratch}/in/data; touch ${scratch}/in/x || echo refused; pwd; echo "$out" >made`;
    const run = await inside(script, { as, options });
    expect(run.stdout).toBe(`data\nrefused\n${scratch}/results\n`);
    expect(readFileSync(join(scratch, "results/made"), "utf8")).toBe(`${scratch}/results\n`);
    const elsewhere = await inside('cat /in/data; pwd; echo "$out"', {
      as,
      options: ["--input", `${scratch}/in:/in`, "--output", `${scratch}/results:/out`],
    });
    expect(elsewhere.stdout).toBe("data\n/out\n/out\n");
  });

  sandboxTest("--tmpfs hides what the image has there, and takes files", async () => {
    const run = await inside("ls /opt/site; touch /opt/site/x && ls /opt/site", {
      as,
      options: ["--tmpfs", "/opt/site", "--chdir", "/"],
    });
    expect(run.stdout).toBe("x\n");
  });

  newerTest("a newer bwrap does all that too", async () => {
    const env = await withNewer();
    const run = await inside('id -u; hostname; [ -e "$out" ] && pwd; touch /x || echo refused', {
      as,
      env,
      options: ["--uid-0", "--hostname", "box", "--output", `${freshCacheDir(as)}:/out`],
    });
    expect(run.stdout).toBe("0\nbox\n/out\nrefused\n");
  });

  newerTest("a writable root is an overlay, and what is written is gone at the end", async () => {
    const script = "echo new >/new && rm /etc/passwd && ls /new /etc/passwd";
    const run = await inside(script, { as, env: await withNewer(), options: ["--writable"] });
    expect(run).toMatchObject({ stdout: "/new\n", exitCode: 2 });
    const again = await inside("ls /new /etc/passwd", { as });
    expect(again).toMatchObject({ stdout: "/etc/passwd\n", exitCode: 2 });
  });
});

sandboxTest("root's command can't set the host's kernel", async () => {
  // Opened to append, and nothing is.
  const script =
    "for f in kernel/core_pattern vm/drop_caches; do { true >>/proc/sys/$f; } 2>&1 && echo can; done";
  for (const options of [[], ["--uid-0"], ["--user", "1234"]]) {
    const { stdout } = await inside(script, { as: "root", options });
    expect(stdout.match(/Read-only file system/g)).toHaveLength(2);
    expect(stdout).not.toContain("can\n");
  }
});

sandboxTest("root keeps capabilities, but for those that lead out, and those dropped", async () => {
  const usual = await inside(capabilities, { as: "root" });
  expect([has(usual.stdout, CAP_CHOWN), has(usual.stdout, CAP_SYS_ADMIN)]).toEqual([true, false]);
  const dropped = await inside(capabilities, { as: "root", options: ["--cap-drop", "chown"] });
  expect(has(dropped.stdout, CAP_CHOWN)).toBe(false);
  const ordinary = await inside(capabilities, { as: "ordinary" });
  expect(ordinary.stdout).toBe("0\n");
});

sandboxTest("variables of the loader reach the command, and not bwrap itself", async () => {
  const cacheDir = await cacheOf("ordinary");
  const variables = ["--env", "LD_PRELOAD=/nowhere.so", "--env", "LD_LIBRARY_PATH=/nowhere"];
  // It is linked statically: whoever complains about the variables is not it.
  const script = ["/usr/bin/busybox", "sh", "-c", 'echo "$LD_PRELOAD $LD_LIBRARY_PATH"'];
  const words = ["run", "-q", "--cache-dir", cacheDir, ...variables, await image(), "--"];
  const run = await stageRootfs([...words, ...script]);
  expect(run).toMatchObject({ stdout: "/nowhere.so /nowhere\n", stderr: "", exitCode: 0 });
});

sandboxTest("more than bwrap's words take goes to it by a descriptor", async () => {
  const scratch = freshCacheDir("ordinary");
  const { uid, gid } = userFor("ordinary");
  const name = "n".repeat(200);
  mkdirSync(join(scratch, name));
  await runArgv(["chown", "-R", `${uid}:${gid}`, scratch], { as: "root" });
  const options = Array.from({ length: 250 }, (_, i) => {
    return ["--ro-bind", `${scratch}/${name}:/binds/${name}${i}`];
  }).flat();
  const script = 'ls /binds | wc -l; cat; exit "$1"';
  const words = ["-q", "--cache-dir", await cacheOf("ordinary"), ...options, await image()];
  const args = [...words, "--", "/bin/sh", "-c", script, "sh", "4"];
  const expected = { stdout: "250\nstdin\n", stderr: "", exitCode: 4 };
  expect(await stageRootfs(["run", ...args], { input: "stdin\n" })).toMatchObject(expected);
  const { stdout: printed } = await stageRootfs(["command", ...args]);
  expect(printed).toMatch(/^\{ printf '.*bwrap --args 3 -- /);
  writeFileSync(join(scratch, "printed"), printed);
  expect(await runArgv(["sh", join(scratch, "printed")], { input: "stdin\n" })).toMatchObject(
    expected,
  );
});
