import { describe, expect, test } from "vitest";
import type { BindMount } from "../../../src/launch/mount.js";
import { type LaunchOptions, type LaunchPlan, planLaunch } from "../../../src/launch/plan.js";
import type { Runtime } from "../../../src/launch/runtime.js";
import {
  apptainerCommand,
  apptainerInstance,
  apptainerRun,
  apptainerShell,
} from "../../../src/launch/runtimes/apptainer.js";
import { refusal } from "../../support/refusal.js";

const runtime: Runtime = {
  name: "apptainer",
  program: "/usr/bin/apptainer",
  version: "1.4.5",
  caller: { uid: 1000, gid: 1000 },
};

function planOf(options: LaunchOptions = {}, singularity: string | null = "/c/singularity.d") {
  const config = { env: ["A=1"], entrypoint: null, cmd: ["/bin/app", "-x"], workingDir: "/work" };
  return planLaunch({ rootfs: "/c/rootfs", singularity, config, mountPoints: [] }, options);
}

function argvOf(options?: LaunchOptions): readonly string[] {
  return apptainerCommand(planOf(options), runtime).argv;
}

/** The words that an option adds to the command line. */
function added(options: LaunchOptions): readonly string[] {
  const before = [...argvOf()];
  return argvOf(options).filter((word) => {
    const i = before.indexOf(word);
    if (i >= 0) before.splice(i, 1);
    return i < 0;
  });
}

const isolation = [
  ...["--containall", "--cleanenv", "--no-eval", "--userns", "--no-mount", "sys,bind-paths"],
];
/** With which root could leave a sandbox. */
const out = [
  ...["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_DAC_READ_SEARCH", "CAP_MKNOD", "CAP_SYS_MODULE"],
  ...["CAP_SYS_RAWIO", "CAP_SYS_PTRACE", "CAP_SYS_BOOT", "CAP_SYS_TIME", "CAP_SYSLOG"],
].join(",");
const ownBind = ["--bind", "/c/singularity.d:/.singularity.d:ro"];

describe("a plan as a command of Apptainer's", () => {
  test("comes with a warning where it shares the caller's terminal", () => {
    expect(apptainerCommand(planOf(), runtime).warnings).toBeUndefined();
    const { warnings } = apptainerCommand(planOf({ terminal: true }), runtime);
    expect(warnings).toMatchObject([expect.stringContaining("type into your terminal")]);
  });

  test.each([
    ["words", { command: ["/bin/app", "x".repeat(1_000_001)] }],
    ["variables", { env: { LONG: "x".repeat(1_000_001) } }],
  ])("has no more %s than Apptainer hands on", (_, options) => {
    const error = refusal(() => apptainerCommand(planOf(options), runtime));
    expect(error).toMatchObject({ code: "SANDBOX", hint: expect.stringContaining("--bwrap") });
    expect(error.message).toMatch(/^apptainer takes a megabyte of words and variables/);
  });

  test("keeps root's commands from setting the host's kernel", () => {
    const root = { ...runtime, caller: { uid: 0, gid: 0 }, kernelFiles: ["sys", "irq"] };
    const { argv } = apptainerCommand(planOf(), root);
    expect(argv).toContain("/proc/sys:/proc/sys:ro");
    expect(argv).toContain("/proc/irq:/proc/irq:ro");
  });

  test("isolates, and runs the command in its directory", () => {
    expect(apptainerCommand(planOf(), runtime)).toEqual({
      argv: [
        ...["/usr/bin/apptainer", "--quiet", "exec", ...isolation],
        ...[
          "--net",
          "--network",
          "none",
          "--drop-caps",
          out,
          "--no-home",
          "--home",
          "/",
          ...ownBind,
        ],
        ...["--scratch", "/run", "--pwd", "/work", "/c/rootfs", "/bin/app", "-x"],
      ],
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        APPTAINERENV_PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        APPTAINERENV_A: "1",
      },
      fds: [],
    });
  });

  test("does without what Apptainer has to know of the image to exec, but not to run", () => {
    const plan = planOf({}, null);
    expect(apptainerCommand(plan, runtime).argv).not.toContain("--bind");
    const others: (() => unknown)[] = [
      () => apptainerRun(plan, { runtime }),
      () => apptainerShell(plan, { runtime }),
      () => apptainerInstance(plan, { runtime, name: "x" }),
    ];
    for (const other of others) expect(refusal(other).code).toBe("SANDBOX");
  });

  test.each<[string, LaunchOptions, string[]]>([
    ["a writable root", { writable: true }, ["--writable-tmpfs"]],
    ["a hostname", { hostname: "h1" }, ["--hostname", "h1"]],
    [
      "root",
      { user: { uid: 0, gid: 0 } },
      ["--fakeroot", "--ignore-subuid", "--ignore-fakeroot-command"],
    ],
    [
      "fewer capabilities",
      { dropCapabilities: ["CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_CHOWN"] },
      [`${out},CAP_NET_RAW,CAP_CHOWN`],
    ],
    ["no capability", { dropCapabilities: ["CAP_NET_RAW", "ALL"] }, ["ALL"]],
    [
      "a GPU",
      { gpu: { vendor: "nvidia", mounts: [], libraryPath: [], programPath: [] } },
      ["--nv"],
    ],
    ["something fresh", { tmpfs: ["/data"] }, ["--scratch", "/data"]],
    ["something fresh at an odd path", { tmpfs: ['/a,"b'] }, ["--scratch", '"/a,""b"']],
    ["what is always fresh", { tmpfs: ["/var/tmp", "/dev/shm"] }, []],
  ])("with %s", (_, options, words) => {
    expect(added(options)).toEqual(words);
  });

  test("needs nothing to run as its caller", () => {
    for (const user of [
      { uid: 0, gid: 0 },
      { uid: 1000, gid: 100 },
    ]) {
      const caller = { ...user };
      const { argv } = apptainerCommand(planOf({ user }), { ...runtime, caller, kernelFiles: [] });
      expect(argv).toEqual(argvOf());
    }
  });

  test("with the host's network has what name resolution needs", () => {
    const hosts = {
      type: "bind",
      source: "/etc/hosts",
      target: "/etc/hosts",
      access: "ro",
    } as const;
    const argv = argvOf({ network: "host", nameService: [hosts] });
    expect(argv).not.toContain("--net");
    expect(argv).toContain("/etc/hosts:/etc/hosts:ro");
    expect(argvOf({ nameService: [hosts] })).not.toContain("/etc/hosts:/etc/hosts:ro");
  });
});

describe("binds", () => {
  test.each<[string, string, string, "ro" | "rw", string[]]>([
    ["a plain path", "/a b", "/data", "ro", ["--bind", "/a b:/data:ro"]],
    ["writable", "/a", "/data", "rw", ["--bind", "/a:/data:rw"]],
    ["a colon", "/a:b", "/data", "rw", ["--mount", "type=bind,source=/a:b,destination=/data"]],
    ["a comma", "/a", "/da,ta", "ro", ["--mount", 'type=bind,source=/a,"destination=/da,ta",ro']],
    [
      "a quote",
      '/a,"b"',
      "/data",
      "ro",
      ["--mount", 'type=bind,"source=/a,""b""",destination=/data,ro'],
    ],
    ["a backslash", "/a\\,", "/d", "ro", ["--mount", 'type=bind,"source=/a\\,",destination=/d,ro']],
  ])("take %s", (_, source, target, access, words) => {
    expect(argvOf({ binds: [{ source, target, access }] }).join("\0")).toContain(words.join("\0"));
  });

  test("at HOME are its home directory", () => {
    const bind = { source: "/people/me", target: "/home/me", access: "rw" } as const;
    const env = { HOME: "/home/me" };
    const below = { source: "/proj", target: "/home/me/proj", access: "rw" } as const;
    const argv = argvOf({ env, binds: [bind, below] }).join(" ");
    expect(argv).toContain(`--home /people/me:/home/me ${ownBind.join(" ")} --scratch`);
    expect(argv).toContain("--bind /proj:/home/me/proj:rw");
    expect(argv).not.toContain("--no-home");
    expect(argv).not.toContain("--bind /people");
  });

  test("are taken at what is fresh, and below a bind there", () => {
    const binds = [
      { source: "/p", target: "/tmp", access: "rw" },
      { source: "/q", target: "/tmp/q", access: "rw" },
    ] as const;
    expect(argvOf({ binds }).join(" ")).toContain("--bind /p:/tmp:rw --bind /q:/tmp/q:rw");
  });

  test.each<[string, LaunchOptions["binds"]]>([
    ["read-only", [{ source: "/p", target: "/home/me", access: "ro" }]],
    ["of an odd source", [{ source: "/p:q", target: "/home/me", access: "rw" }]],
    [
      "above HOME too",
      [
        { source: "/p", target: "/home", access: "rw" },
        { source: "/q", target: "/home/me", access: "rw" },
      ],
    ],
  ])("at HOME are like others where they are %s", (_, binds) => {
    const argv = argvOf({ env: { HOME: "/home/me" }, binds }).join(" ");
    expect(argv).toContain("--no-home --home /home/me --bind");
    expect(argv).toMatch(/ (--bind|--mount) \S*\/home\/me/);
  });
});

describe("the environment", () => {
  test("is handed on by names of its own, whatever the values are", () => {
    const env = { ODD: "a,b=c $HOME\n`id`", EMPTY: "", HOME: "/home/me", APPTAINERENV_X: "y" };
    expect(apptainerCommand(planOf({ env }), runtime).env).toEqual({
      PATH: expect.any(String),
      APPTAINERENV_PATH: expect.any(String),
      APPTAINERENV_A: "1",
      APPTAINERENV_ODD: env.ODD,
      APPTAINERENV_EMPTY: "",
      APPTAINERENV_APPTAINERENV_X: "y",
    });
  });

  test.each([
    ["my.var", "1"],
    ["1ST", "1"],
    ["BASH_FUNC_x%%", "() { :; }"],
    ["Ä", "1"],
    ["UID", "1"],
    ["PREPEND_PATH", "/x"],
    ["PROMPT_COMMAND", "x"],
    ["PATH", ""],
    ["PS1", ""],
    ["HOME", "/a:b"],
  ])("with %s=%s is refused", (name, value) => {
    const plan = planOf({ env: { [name]: value } });
    const error = refusal(() => apptainerCommand(plan, runtime));
    expect(error).toMatchObject({ code: "SANDBOX", hint: expect.any(String) });
    expect(error.message).toContain(name);
  });
});

test("a device is where the host has it", () => {
  const plan = withBind({ source: "/dev/fuse", target: "/dev/fuse", access: "dev" });
  expect(apptainerCommand(plan, runtime).argv.join(" ")).toContain("--bind /dev/fuse:/dev/fuse:rw");
});

function withBind(bind: Omit<BindMount, "type">): LaunchPlan {
  return { ...planOf(), mounts: [{ type: "bind", ...bind }] };
}

describe("what Apptainer can't do is refused", () => {
  test.each<[string, LaunchPlan]>([
    ["another user", planOf({ user: { uid: 1001, gid: 1000 } })],
    ["the caller in another group", planOf({ user: { uid: 1000, gid: 5 } })],
    ["root's user in another group", planOf({ user: { uid: 0, gid: 5 } })],
    ["a device elsewhere", withBind({ source: "/dev/x", target: "/x", access: "dev" })],
    ["a file as a device", withBind({ source: "/x", target: "/x", access: "dev" })],
    ["a directory below /dev", withBind({ source: "/dev/shm", target: "/dev/shm", access: "rw" })],
    ["something fresh below /dev", planOf({ tmpfs: ["/dev/x"] })],
    ["/proc elsewhere", { ...planOf(), mounts: [{ type: "proc", target: "/p" }] }],
    [
      "something fresh below a bind",
      planOf({ binds: [{ source: "/a", target: "/data", access: "rw" }], tmpfs: ["/data/x"] }),
    ],
  ])("%s", (_, plan) => {
    const called = { ...runtime, caller: { uid: 1000, gid: 1000 } };
    expect(refusal(() => apptainerCommand(plan, called))).toMatchObject({
      code: "SANDBOX",
      hint: expect.any(String),
    });
  });

  test.each(["1.0.3", "0.9"])("version %s", (version) => {
    const old = { ...runtime, version };
    expect(refusal(() => apptainerCommand(planOf(), old)).message).toContain(version);
  });

  test.each(["1.1.0", "1.1.0-rc.2", "2.0", undefined])("but not version %s", (version) => {
    expect(apptainerCommand(planOf(), { ...runtime, version }).argv).toEqual(argvOf());
  });
});

describe("other commands of Apptainer's", () => {
  test("run takes words in place of Cmd, shell none", () => {
    const run = apptainerRun(planOf(), { runtime, args: ["a b", "-c"] }).argv;
    expect(run).toEqual([
      ...argvOf()
        .slice(0, -2)
        .map((word) => (word === "exec" ? "run" : word)),
      ...["a b", "-c"],
    ]);
    const shell = apptainerShell(planOf(), { runtime }).argv;
    expect(shell).toEqual(run.slice(0, -2).map((word) => (word === "run" ? "shell" : word)));
  });

  test("an instance is started without a command, which exec runs in it", () => {
    const plan = planOf({ env: { B: "2" }, dropCapabilities: ["ALL"] });
    const instance = apptainerInstance(plan, { runtime, name: "job-1.x_y" });
    const { argv, env } = apptainerCommand(plan, runtime);
    const flags = argv.slice(3, argv.indexOf("--pwd"));
    expect(instance.start.argv).toEqual([
      ...["/usr/bin/apptainer", "--quiet", "instance", "start", ...flags],
      ...["/c/rootfs", "job-1.x_y"],
    ]);
    expect(instance.start.env).toEqual(env);
    expect(instance.exec).toEqual({
      argv: [
        ...["/usr/bin/apptainer", "--quiet", "exec", "--cleanenv", "--no-eval"],
        ...["--drop-caps", "ALL", "--pwd", "/work", "instance://job-1.x_y", "/bin/app", "-x"],
      ],
      env,
      fds: [],
    });
    expect(instance.stop).toEqual({
      argv: ["/usr/bin/apptainer", "--quiet", "instance", "stop", "job-1.x_y"],
      env: { PATH: env["PATH"] },
      fds: [],
    });
  });

  test("an instance can be on record elsewhere than in the home directory", () => {
    const { start, exec, stop } = apptainerInstance(planOf(), {
      ...{ runtime, name: "x", configDirectory: "/run/user/1/a" },
    });
    for (const { env } of [start, exec, stop]) {
      expect(env["APPTAINER_CONFIGDIR"]).toBe("/run/user/1/a");
    }
  });

  test.each(["", "-x", "a/b", "a b", "../x", "a".repeat(65)])(
    "an instance is not named %j",
    (name) => {
      expect(refusal(() => apptainerInstance(planOf(), { runtime, name })).code).toBe("USAGE");
    },
  );
});
