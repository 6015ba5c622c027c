import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished } from "vitest";
import {
  apptainerInstance,
  apptainerRun,
  apptainerShell,
  type LaunchOptions,
  toCommand,
} from "../../src/index.js";
import { apptainerTest, sandboxOf } from "./support/apptainer.js";
import type { RunResult } from "./support/cli.js";
import { isRoot, type UserKind } from "./support/users.js";

const users: readonly UserKind[] = isRoot() ? ["ordinary", "root"] : ["ordinary"];

/** Runs a shell script in a sandbox of the user's. */
async function runScript(
  kind: UserKind,
  script: string | readonly string[],
  options: LaunchOptions = {},
): Promise<RunResult> {
  const { runtime, plan, start } = await sandboxOf(kind);
  const text = typeof script === "string" ? script : script.join("\n");
  const command = ["/bin/sh", "-c", text];
  return await start(toCommand(plan({ command, ...options }), runtime));
}

describe.for(users)("apptainer exec by the %s user", (kind) => {
  apptainerTest("isolates, as other runtimes do", async () => {
    const script = [
      "touch /x /etc/x /opt/x /usr/x 2>/dev/null; ls -d /x /etc/x /opt/x /usr/x 2>/dev/null",
      "touch /tmp/x /run/x && echo fresh; ls /tmp /run; ls /sys",
      "grep -c : /proc/net/dev; ls -d /proc/[0-9]* | wc -l",
      "ls -A /home; pwd; echo $HOME",
    ];
    const run = await runScript(kind, script);
    expect(run).toMatchObject({ stderr: "", exitCode: 0 });
    const lines = run.stdout.trim().split("\n");
    expect(lines.slice(0, 6)).toEqual(["fresh", "/run:", "x", "", "/tmp:", "x"]);
    expect(lines[6]).toBe("1");
    expect(Number(lines[7])).toBeLessThan(8);
    expect(lines.slice(8)).toEqual(["/opt/site", "/"]);
  });

  apptainerTest("hands every value on as it is, and nothing of the host's", async () => {
    const env = {
      ODD: "a,b=c $HOME `id` $(id) 'q' \"d\" \\n\\ *\n two\n",
      EMPTY: "",
      PATH: "/opt/own:/usr/bin:/bin",
      HOME: "/opt/my home",
      LD_LIBRARY_PATH: "/opt/lib",
      PS1: "$ ",
      LANG: "C.UTF-8",
      IFS: ",",
      TMPDIR: "/run",
    };
    const { runtime, plan, start } = await sandboxOf(kind);
    const command = toCommand(plan({ command: ["env", "-0"], env }), runtime);
    const run = await start(command, { env: { SECRET: "of the host" } });
    expect(run.stderr).toBe("");
    const found = Object.fromEntries(
      run.stdout.split("\0").map((each) => [each.split("=")[0], each.slice(each.indexOf("=") + 1)]),
    );
    expect(found).toMatchObject({
      ...env,
      GREETING: "hello there",
      // Where Apptainer puts a GPU's libraries.
      LD_LIBRARY_PATH: "/opt/lib:/.singularity.d/libs",
    });
    const others = Object.keys(found).filter((name) => !(name in env) && name !== "");
    const own = /^(APPTAINER|SINGULARITY)_|^(PWD|PROMPT_COMMAND|GREETING)$/;
    expect(others.filter((name) => !own.test(name))).toEqual([]);
  });

  apptainerTest("binds files and directories at odd paths, read-only where asked", async () => {
    const { home, runtime, plan, start } = await sandboxOf(kind);
    const odd = join(home, 'a,b:c "d" \\e\nf');
    mkdirSync(join(odd, "sub"), { recursive: true });
    for (const path of [odd, join(odd, "sub")]) writeFileSync(join(path, "in"), "in\n");
    const binds = [
      { source: odd, target: "/data/x:y", access: "rw" },
      { source: join(odd, "in"), target: "/opt/one,two", access: "ro" },
      { source: join(odd, "sub"), target: "/data/x:y/sub", access: "ro" },
    ] as const;
    const script = [
      "cat /data/x:y/in /opt/one,two /data/x:y/sub/in",
      "for f in /data/x:y/sub/out /opt/one,two; do echo >$f; done 2>/dev/null",
      "mkdir -p /data/x:y 2>/dev/null; ls /data/x:y/sub",
    ];
    const command = ["/bin/sh", "-c", script.join("\n")];
    const run = await start(toCommand(plan({ command, binds }), runtime));
    expect(run).toMatchObject({ stdout: "in\nin\nin\nin\n", stderr: "", exitCode: 0 });
    expect(readFileSync(join(odd, "in"), "utf8")).toBe("in\n");
  });

  apptainerTest("mounts HOME, what is below it, and what is fresh", async () => {
    const { home, runtime, plan, start } = await sandboxOf(kind);
    const options: LaunchOptions = {
      env: { HOME: "/home/me" },
      binds: [
        { source: home, target: "/home/me", access: "rw" },
        { source: "/etc/hostname", target: "/home/me/proj/name", access: "ro" },
      ],
      tmpfs: ["/opt/a,b"],
      workingDir: "/home/me",
      command: ["/bin/sh", "-c", "echo $HOME; echo x >written; cat proj/name; touch /opt/a,b/x"],
    };
    // What a home directory's own mount point would be made in is the home directory.
    mkdirSync(join(home, "proj"), { mode: 0o777 });
    writeFileSync(join(home, "proj/name"), "");
    const run = await start(toCommand(plan(options), runtime));
    const hostname = readFileSync("/etc/hostname", "utf8");
    expect(run).toMatchObject({ stdout: `/home/me\n${hostname}`, stderr: "", exitCode: 0 });
    expect(readFileSync(join(home, "written"), "utf8")).toBe("x\n");
  });

  apptainerTest("has a writable root that leaves the rootfs as it is", async () => {
    const { runtime, plan, start } = await sandboxOf(kind);
    const script = "echo changed >/etc/debian_version && cat /etc/debian_version && echo >/x";
    const options: LaunchOptions = { writable: true, command: ["/bin/sh", "-c", script] };
    const planned = plan(options);
    const before = readFileSync(`${planned.rootfs}/etc/debian_version`, "utf8");
    expect(await start(toCommand(planned, runtime))).toMatchObject({
      stdout: "changed\n",
      stderr: "",
      exitCode: 0,
    });
    expect(readFileSync(`${planned.rootfs}/etc/debian_version`, "utf8")).toBe(before);
  });

  apptainerTest(
    "has a hostname, the host's network and fewer capabilities if told so",
    async () => {
      const script = "hostname; grep -c : /proc/net/dev; grep CapBnd /proc/self/status";
      const options: LaunchOptions = { hostname: "h1", network: "host", dropCapabilities: ["ALL"] };
      const run = await runScript(kind, script, options);
      const devices = readFileSync("/proc/net/dev", "utf8").match(/:/g)?.length;
      expect(run.stdout).toBe(`h1\n${devices}\nCapBnd:\t0000000000000000\n`);
      expect(run).toMatchObject({ stderr: "", exitCode: 0 });
    },
  );

  apptainerTest(
    "keeps read-only what is, from root too, with more user namespaces too",
    async () => {
      const { home, runtime, plan, start } = await sandboxOf(kind);
      const source = join(home, "input");
      mkdirSync(source);
      chmodSync(source, 0o777);
      const binds = [{ source, target: "/data", access: "ro" }] as const;
      const attack =
        "mount -o remount,rw,bind /data; mount -o remount,rw /; echo >/data/x; echo >/x";
      const script = `( ${attack} ) 2>/dev/null; unshare -Urm sh -c '${attack}' 2>/dev/null; ls /x`;
      const users = kind === "root" ? [undefined] : [undefined, { uid: 0, gid: 0 }];
      for (const user of users) {
        const options: LaunchOptions = { binds, user, command: ["/bin/sh", "-c", script] };
        const run = await start(toCommand(plan(options), runtime));
        expect(run.stderr).toContain("'/x'");
        expect(readdirSync(source)).toEqual([]);
      }
    },
  );

  apptainerTest("ends with the command's status, and says what a failure was", async () => {
    expect((await runScript(kind, "exit 3")).exitCode).toBe(3);
    expect((await runScript(kind, "kill -9 $$")).exitCode).toBe(137);
    const failed = await runScript(kind, "true", { workingDir: "/nowhere" });
    expect(failed.exitCode).toBe(255);
    expect(failed.stderr).toMatch(/^FATAL: .*\/nowhere/);
  });
});

apptainerTest("an ordinary user can be root inside, alone", async () => {
  const user = { uid: 0, gid: 0 };
  const run = await runScript("ordinary", "id -u; wc -l </proc/self/uid_map; echo $HOME", { user });
  expect(run).toMatchObject({ stdout: "0\n1\n/\n", stderr: "", exitCode: 0 });
});

apptainerTest("run takes Entrypoint and Cmd of the image, or other words for Cmd", async () => {
  const { runtime, plan, start } = await sandboxOf("ordinary");
  const planned = plan({});
  expect(await start(apptainerRun(planned, { runtime }))).toMatchObject({
    stdout: "hello there from /opt/site\n",
    stderr: "",
    exitCode: 0,
  });
  const args = ["printf", "[%s]", "a b", "$c"];
  expect(await start(apptainerRun(planned, { runtime, args }))).toMatchObject({
    stdout: "[a b][$c]",
    exitCode: 0,
  });
});

apptainerTest("shell reads what it is told", async () => {
  const { runtime, plan, start } = await sandboxOf("ordinary");
  const shell = apptainerShell(plan({ env: { WORD: "x y" } }), { runtime });
  const run = await start(shell, { input: 'echo "$GREETING $WORD"; pwd; exit 4\n' });
  expect(run).toMatchObject({ stdout: "hello there x y\n/opt/site\n", exitCode: 4 });
});

apptainerTest.for(users)("an instance of the %s user's stays until it is stopped", async (kind) => {
  const { runtime, plan, start, home } = await sandboxOf(kind);
  const name = `stage-rootfs-test-${process.pid}`;
  const script =
    'echo "$WORD $(hostname) $HOME"; pwd; grep -c : /proc/net/dev; date >>/tmp/calls; wc -l </tmp/calls; exit 5';
  const instance = apptainerInstance(
    plan({ command: ["/bin/sh", "-c", script], env: { WORD: "a,b=c\nd" }, hostname: "h2" }),
    { runtime, name, configDirectory: join(home, "config") },
  );
  onTestFinished(async () => void (await start(instance.stop)));
  expect(await start(instance.start)).toMatchObject({ stderr: "", exitCode: 0 });
  for (const call of [1, 2]) {
    expect(await start(instance.exec)).toMatchObject({
      stdout: `a,b=c\nd h2 /\n/opt/site\n1\n${call}\n`,
      stderr: "",
      exitCode: 5,
    });
  }
  expect(await start(instance.stop)).toMatchObject({ exitCode: 0 });
  expect((await start(instance.exec)).exitCode).toBe(255);
  expect((await start(instance.stop)).exitCode).toBe(1);
});
