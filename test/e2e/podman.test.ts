import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect } from "vitest";
import { freshCacheDir } from "./support/cache-dir.js";
import { runArgv } from "./support/cli.js";
import { makePodmanSite, type PodmanSite, podmanSiteNeeds } from "./support/podman-site.js";
import { testNeeding } from "./support/programs.js";
import { describeTree } from "./support/tree.js";
import { runAsOrdinaryUser, type UserKind, userFor } from "./support/users.js";

const podmanTest = testNeeding(podmanSiteNeeds);

const sites = new Map<UserKind, Promise<PodmanSite>>();

afterAll(async () => {
  for (const site of sites.values()) await (await site).remove();
});

/** One for all tests. */
function podmanOf(kind: UserKind): Promise<PodmanSite> {
  const site = sites.get(kind) ?? makePodmanSite(kind);
  sites.set(kind, site);
  return site;
}

describe.each(["root", "ordinary"] as const)("podman, started by %s,", (kind) => {
  podmanTest(
    "isolates: read-only root, fresh /tmp and /run, no network, own processes",
    async () => {
      const { run, rootfs } = await podmanOf(kind);
      const before = describeTree(rootfs);
      const script = [
        "touch /x /etc/x 2>/dev/null && echo root is writable",
        "touch /tmp/x /run/x && echo fresh",
        "ls /tmp /run",
        "grep -c : /proc/net/dev",
        "ls -d /proc/[0-9]* | wc -l",
        "grep NoNewPrivs /proc/self/status | tr -d '\\t'",
        "id -u; id -g",
        "env | sort",
      ].join("\n");
      const { stdout, stderr, exitCode } = await run(script);
      expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
      const lines = stdout.trim().split("\n");
      expect(lines.slice(0, 7)).toEqual(["fresh", "/run:", "podman-init", "x", "", "/tmp:", "x"]);
      expect(lines[7]).toBe("1");
      expect(Number(lines[8])).toBeLessThan(8);
      const { uid, gid } = userFor(kind);
      expect(lines.slice(9, 12)).toEqual(["NoNewPrivs:1", `${uid}`, `${gid}`]);
      const names = lines.slice(12).map((line) => line.split("=")[0]);
      expect(names).toEqual(["GREETING", "HOME", "HOSTNAME", "PATH", "PWD"]);
      expect(describeTree(rootfs)).toEqual(before);
    },
  );

  podmanTest("has a root that can be written to, of which the rootfs sees nothing", async () => {
    const { run, rootfs } = await podmanOf(kind);
    const before = describeTree(rootfs);
    const script = "echo x >/etc/new; rm /etc/passwd; cat /etc/new; ls /etc/passwd 2>&1; ls /tmp";
    const { stdout } = await run(script, ["--writable"]);
    expect(stdout).toBe("x\nls: cannot access '/etc/passwd': No such file or directory\n");
    expect(describeTree(rootfs)).toEqual(before);
  });

  podmanTest("binds odd names, read-only where asked, and passes odd values", async () => {
    const { run } = await podmanOf(kind);
    const scratch = freshCacheDir("ordinary");
    const make = `mkdir '${scratch}/o,u"t:x' ${scratch}/out; echo in >${scratch}/in`;
    await runAsOrdinaryUser("sh", ["-c", make]);
    const script = [
      "cat /inputs/in; echo x >/inputs/in",
      'printf %s "$ODD" >"/odd,place/written"; printf %s "$LD_ODD" >>"/odd,place/written"',
      'echo "$out"; pwd; echo y >"$out/y"',
      "mount | grep -c ' /scratch type tmpfs '",
    ].join("\n");
    const odd = 'a=b, "c"\n$(d)';
    const { stdout, stderr } = await run(script, [
      ...["--ro-bind", `${scratch}/in:/inputs/in`, "--bind", `${scratch}/o,u"t:x:/odd,place`],
      ...["--output", `${scratch}/out`, "--tmpfs", "/scratch"],
      ...["--env", `ODD=${odd}`, "--env", `LD_ODD=${odd}`],
    ]);
    expect(stdout).toBe(`in\n${scratch}/out\n${scratch}/out\n1\n`);
    expect(stderr).toContain("Read-only file system");
    expect(readFileSync(join(scratch, 'o,u"t:x/written'), "utf8")).toBe(odd + odd);
    expect(readFileSync(join(scratch, "out/y"), "utf8")).toBe("y\n");
  });

  podmanTest("ends as its command does", async () => {
    const { run } = await podmanOf(kind);
    const ends = [];
    for (const script of ["exit 3", "kill -9 $$", "kill -TERM $$"]) ends.push(await run(script));
    expect(ends).toMatchObject([
      { stdout: "", stderr: "", exitCode: 3 },
      { stdout: "", stderr: "", exitCode: 137 },
      { stdout: "", stderr: "", exitCode: 143 },
    ]);
  });

  podmanTest("hands standard input on, bytes and all", async () => {
    const { run } = await podmanOf(kind);
    // With the two among them that detach a terminal from podman.
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i % 256) ^ (i >> 8)));
    const { stdout } = await run("sha256sum; echo end", [], { input: bytes });
    const sum = await runArgv(["sha256sum"], { input: bytes });
    expect(stdout).toBe(`${sum.stdout}end\n`);
  });

  podmanTest("passes a signal on to its command, whose status it gives", async () => {
    const { run } = await podmanOf(kind);
    const scratch = freshCacheDir("ordinary");
    const script = [
      "trap 'echo got TERM; sleep 0.2; exit 42' TERM",
      // podman itself dies of a signal that comes before it has begun to pass them on.
      "sleep 0.5; echo >/scratch/ready",
      "while :; do sleep 0.05; done",
    ].join("\n");
    const ended = await run(script, ["--bind", `${scratch}:/scratch`], {
      killWhen: { condition: () => existsSync(join(scratch, "ready")), signal: "SIGTERM" },
    });
    expect(ended).toMatchObject({ stdout: "got TERM\n", exitCode: 42 });
  });

  podmanTest("leaves no survivor when stage-rootfs is killed with SIGKILL", async () => {
    const { run } = await podmanOf(kind);
    const scratch = freshCacheDir("ordinary");
    const alive = join(scratch, "alive");
    const script = "while :; do date +%s%N >/scratch/alive; sleep 0.05; done";
    const ended = await run(script, ["--bind", `${scratch}:/scratch`], {
      killWhen: { condition: () => existsSync(alive) },
    });
    expect(ended.signal).toBe("SIGKILL");
    const isBeating = async () => {
      const last = readFileSync(alive, "utf8");
      await sleep(500);
      return readFileSync(alive, "utf8") !== last;
    };
    await expect.poll(isBeating, { timeout: 20_000 }).toBe(false);
  });

  podmanTest("is whom it is asked to be, with the caller's rights", async () => {
    const { run } = await podmanOf(kind);
    const who = async (...options: string[]) => (await run("id -u; id -g", options)).stdout;
    expect(await who("--uid-0")).toBe("0\n0\n");
    expect(await who("--user", "7:8")).toBe("7\n8\n");
  });

  podmanTest("has the host's network and a host name of its own where asked", async () => {
    const { run } = await podmanOf(kind);
    const script = "grep : /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort; hostname";
    const { stdout } = await run(script, ["--network", "host", "--hostname", "box"]);
    const host = await runArgv(["sh", "-c", script.replace("; hostname", "")]);
    expect(stdout).toBe(`${host.stdout}box\n`);
  });

  podmanTest("has a printed command that a shell runs, and that shows no values", async () => {
    const { printed, start } = await podmanOf(kind);
    const { stdout, exitCode } = await printed(
      ["/bin/sh", "-c", 'echo "$TOKEN"; exit 9'],
      [...["--env", "TOKEN=it's secret"]],
    );
    expect(exitCode).toBe(0);
    expect(stdout.slice(stdout.indexOf("podman "))).not.toContain("secret");
    expect(await start(["sh", "-c", stdout])).toMatchObject({
      stdout: "it's secret\n",
      exitCode: 9,
    });
  });

  testNeeding([...podmanSiteNeeds, "runc"])(
    "works where crun does not, as root in its own eyes",
    async () => {
      const { runHere } = await podmanOf(kind);
      expect(await runHere("id -u; exit 4", ["--uid-0"])).toMatchObject({
        stdout: "0\n",
        stderr: "",
        exitCode: 4,
      });
    },
  );
});
