import { describe, expect, test } from "vitest";
import { planLaunch, type StagedRootfs } from "../../src/launch/plan.js";
import { refusal } from "../support/refusal.js";

const config = { env: [], entrypoint: null, cmd: ["/bin/app"], workingDir: null };

const staged: StagedRootfs = { rootfs: "/cache/rootfs", config, mountPoints: [] };

function withConfig(changes: Partial<StagedRootfs["config"]>): StagedRootfs {
  return { ...staged, config: { ...config, ...changes } };
}

describe("what is mounted", () => {
  test("without options is fresh /proc, /dev, /tmp and /run, and nothing of the host", () => {
    expect(planLaunch(staged).mounts).toEqual([
      { type: "proc", target: "/proc" },
      { type: "dev", target: "/dev" },
      { type: "tmpfs", target: "/tmp" },
      { type: "tmpfs", target: "/run" },
    ]);
    expect(planLaunch(staged).rootfs).toBe("/cache/rootfs");
  });

  test("of the host's Nix store is read-only, and before the binds", () => {
    const binds = [{ source: "/s", target: "/nix/store/x", access: "rw" }] as const;
    expect(planLaunch(staged, { nixStore: true, binds }).mounts.slice(4)).toEqual([
      { type: "bind", source: "/nix/store", target: "/nix/store", access: "ro" },
      { type: "bind", source: "/s", target: "/nix/store/x", access: "rw" },
    ]);
  });

  test("goes where the targets lead inside the rootfs", () => {
    const point = (target: string, path: string) => {
      return { target, path, kind: "dir", created: false } as const;
    };
    const linked = {
      ...staged,
      mountPoints: [
        point("/tmp", "/var/tmp"),
        point("/data", "/srv/data"),
        point("/run", "/var/run"),
      ],
    };
    const binds = [
      { source: "/a", target: "/data", access: "ro" },
      { source: "/b", target: "/elsewhere", access: "rw" },
    ] as const;
    expect(planLaunch(linked, { binds }).mounts.map(({ target }) => target)).toEqual([
      "/proc",
      "/dev",
      "/var/tmp",
      "/var/run",
      "/elsewhere",
      "/srv/data",
    ]);
  });

  test("comes parents first, and else in the order given, after what is fresh", () => {
    const bind = (target: string) => ({ source: `/host${target}`, target, access: "rw" }) as const;
    const binds = ["/tmp/a/b", "/z", "/tmp/a", "/a", "/tmp"].map(bind);
    expect(planLaunch(staged, { binds }).mounts.map(({ target }) => target)).toEqual([
      "/proc",
      "/dev",
      "/tmp",
      "/run",
      "/z",
      "/a",
      "/tmp",
      "/tmp/a",
      "/tmp/a/b",
    ]);
  });
});

test("an image's User, Volumes, ports and signal are not used", () => {
  const asked = {
    user: "65534:65534",
    volumes: ["/data"],
    exposedPorts: ["80/tcp"],
    stopSignal: "SIGINT",
  };
  const withAll = { ...staged, config: { ...config, ...asked } };
  expect(planLaunch(withAll)).toEqual(planLaunch(staged));
});

describe("the environment", () => {
  test("has PATH and HOME where the image says nothing", () => {
    expect(planLaunch(staged).env).toEqual({
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/",
    });
  });

  test("is the image's, the last assignment counting, and then what was asked for", () => {
    const env = ["PATH=/image", "A=1", "B==x=y", "A=2", "EMPTY=", "LINE=a\nb"];
    const found = planLaunch(withConfig({ env }), {
      env: { B: "mine", C: "3", EMPTY: "full" },
    }).env;
    expect(found).toEqual({
      PATH: "/image",
      HOME: "/",
      A: "2",
      B: "mine",
      C: "3",
      EMPTY: "full",
      LINE: "a\nb",
    });
  });

  test("has nothing of the caller's own", () => {
    process.env["STAGE_ROOTFS_TEST_SECRET"] = "secret";
    expect(Object.values(planLaunch(staged).env)).not.toContain("secret");
    delete process.env["STAGE_ROOTFS_TEST_SECRET"];
  });

  test("leaves out what is no assignment", () => {
    const env = ["", "=", "=value", "NAME"];
    expect(Object.keys(planLaunch(withConfig({ env })).env)).toEqual(["PATH", "HOME"]);
  });

  test("does not change the image's config", () => {
    const frozen = withConfig({ env: Object.freeze(["A=1"]) });
    planLaunch(frozen, { env: { A: "2" } });
    expect(frozen.config.env).toEqual(["A=1"]);
  });
});

describe("the command", () => {
  test.each([
    [["/entry", "-x"], ["a", "b"], undefined, ["/entry", "-x", "a", "b"]],
    [["/entry"], null, undefined, ["/entry"]],
    [["/entry"], [], undefined, ["/entry"]],
    [null, ["a"], undefined, ["a"]],
    [[], ["a"], undefined, ["a"]],
    [["/entry"], ["a"], ["/bin/sh", "-c", "x"], ["/bin/sh", "-c", "x"]],
    [null, null, ["/bin/sh"], ["/bin/sh"]],
    [["/entry"], ["a"], [], ["/entry", "a"]],
    [null, ["-v", "", "--"], undefined, ["-v", "", "--"]],
  ])("of Entrypoint %j, Cmd %j and %j is %j", (entrypoint, cmd, command, argv) => {
    expect(planLaunch(withConfig({ entrypoint, cmd }), { command }).argv).toEqual(argv);
  });

  test.each([
    [null, null, undefined],
    [[], [], undefined],
    [null, [], []],
  ])("of Entrypoint %j, Cmd %j and %j is missing", (entrypoint, cmd, command) => {
    const error = refusal(() => planLaunch(withConfig({ entrypoint, cmd }), { command }));
    expect(error.code).toBe("USAGE");
    expect(error.hint).toContain("-- /bin/sh");
  });
});

test.each([
  [null, undefined, "/"],
  ["/image", undefined, "/image"],
  ["/image", "/mine", "/mine"],
  [null, "/mine", "/mine"],
])("with WorkingDir %j and --chdir %j it starts in %j", (workingDir, chdir, expected) => {
  expect(planLaunch(withConfig({ workingDir }), { workingDir: chdir }).workingDir).toBe(expected);
});

describe("what is protected", () => {
  const links: Readonly<Record<string, string>> = { "/link": "/disk/cache", "/home": "/disk" };
  const options = { protect: ["/home/cache"], realPath: real };

  /** With the first part of a path followed. */
  function real(path: string): string {
    return path.replace(/^\/[^/]+/, (first) => links[first] ?? first);
  }

  test("is found by whatever link a bind leads to it", () => {
    const binds = [{ source: "/disk", target: "/data", access: "rw" }] as const;
    expect(planLaunch(staged, { ...options, binds }).mounts.at(-1)).toEqual({
      type: "bind",
      source: "/disk/cache",
      target: "/data/cache",
      access: "ro",
    });
    const [bind] = planLaunch(staged, { ...options, binds }).mounts.slice(4);
    expect(bind).toEqual({ type: "bind", ...binds[0] });
  });

  test("can't be bound through a link", () => {
    const binds = [{ source: "/link", target: "/data", access: "rw" }] as const;
    expect(refusal(() => planLaunch(staged, { ...options, binds })).code).toBe("USAGE");
  });
});

describe("name resolution", () => {
  const hosts = {
    type: "bind",
    source: "/etc/hosts",
    target: "/etc/hosts",
    access: "ro",
  } as const;
  const linked: StagedRootfs = {
    ...staged,
    mountPoints: [
      { target: "/etc/hosts", path: "/private/hosts", kind: "file", created: false },
      { target: "/etc", path: "/private", kind: "dir", created: false },
    ],
  };

  test("goes where the rootfs has its files", () => {
    const { nameService } = planLaunch(linked, { nameService: [hosts] });
    expect(nameService).toEqual([{ ...hosts, target: "/private/hosts" }]);
  });

  test.each(["/etc/hosts", "/etc"])("gives way to a bind at %s", (target) => {
    const binds = [{ source: "/mine", target, access: "ro" }] as const;
    expect(planLaunch(linked, { nameService: [hosts], binds }).nameService).toEqual([]);
  });
});

test("what belongs to a GPU goes below a fresh directory, wherever that is", () => {
  const mount = { type: "bind", source: "/lib/l", target: "/run/gpu/l", access: "ro" } as const;
  const gpu = { vendor: "nvidia", mounts: [mount], libraryPath: [], programPath: [] } as const;
  const run = { target: "/run", path: "/var/run", kind: "dir", created: false } as const;
  expect(planLaunch({ ...staged, mountPoints: [run] }, { gpu }).gpu?.mounts).toEqual([
    { ...mount, target: "/var/run/gpu/l" },
  ]);
});
