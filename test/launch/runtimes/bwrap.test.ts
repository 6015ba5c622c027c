import { describe, expect, test } from "vitest";
import { type LaunchOptions, type LaunchPlan, planLaunch } from "../../../src/launch/plan.js";
import { bwrapCommand } from "../../../src/launch/runtimes/bwrap.js";
import { refusal } from "../../support/refusal.js";

/** The options of bubblewrap 0.4.0 (RHEL 8), and how many words follow each. */
const options: ReadonlyMap<string, number> = new Map([
  ["--args", 1],
  ["--unshare-all", 0],
  ["--share-net", 0],
  ["--unshare-user", 0],
  ["--unshare-user-try", 0],
  ["--unshare-ipc", 0],
  ["--unshare-pid", 0],
  ["--unshare-net", 0],
  ["--unshare-uts", 0],
  ["--unshare-cgroup", 0],
  ["--unshare-cgroup-try", 0],
  ["--userns", 1],
  ["--userns2", 1],
  ["--pidns", 1],
  ["--uid", 1],
  ["--gid", 1],
  ["--hostname", 1],
  ["--chdir", 1],
  ["--setenv", 2],
  ["--unsetenv", 1],
  ["--lock-file", 1],
  ["--sync-fd", 1],
  ["--bind", 2],
  ["--bind-try", 2],
  ["--dev-bind", 2],
  ["--dev-bind-try", 2],
  ["--ro-bind", 2],
  ["--ro-bind-try", 2],
  ["--remount-ro", 1],
  ["--exec-label", 1],
  ["--file-label", 1],
  ["--proc", 1],
  ["--dev", 1],
  ["--tmpfs", 1],
  ["--mqueue", 1],
  ["--dir", 1],
  ["--file", 2],
  ["--bind-data", 2],
  ["--ro-bind-data", 2],
  ["--symlink", 2],
  ["--seccomp", 1],
  ["--block-fd", 1],
  ["--userns-block-fd", 1],
  ["--info-fd", 1],
  ["--json-status-fd", 1],
  ["--new-session", 0],
  ["--die-with-parent", 0],
  ["--as-pid-1", 0],
  ["--cap-add", 1],
  ["--cap-drop", 1],
]);

/** The options of a command line, each with what follows it, and the command after `--`. */
function parse([, ...words]: readonly string[]) {
  const found: string[][] = [];
  while (words.length > 0 && words[0] !== "--") {
    const name = words.shift() ?? "";
    const count = options.get(name);
    if (count === undefined) throw new Error(`bwrap 0.4.0 has no option ${name}`);
    found.push([name, ...words.splice(0, count)]);
  }
  return { options: found, command: words.slice(1) };
}

const staged = {
  rootfs: "/cache/v1/rootfs/key/rootfs",
  config: { env: ["A=1"], entrypoint: ["/entry"], cmd: ["arg"], workingDir: "/work" },
  mountPoints: [],
};

const launchOptions: LaunchOptions = {
  nixStore: true,
  binds: [
    { source: "/host/in", target: "/in", access: "ro" },
    { source: "/host/out", target: "/out", access: "rw" },
  ],
  tmpfs: ["/scratch"],
  env: { B: "2" },
};

const everything = planLaunch(staged, {
  ...launchOptions,
  user: { uid: 0, gid: 7 },
  network: "host",
  hostname: "box",
  dropCapabilities: ["CAP_NET_RAW", "ALL"],
  gpu: {
    vendor: "nvidia",
    mounts: [
      { type: "bind", source: "/dev/nvidia0", target: "/dev/nvidia0", access: "dev" },
      { type: "bind", source: "/lib/libcuda.so.1", target: "/gpu/libcuda.so.1", access: "ro" },
    ],
    libraryPath: ["/gpu"],
    programPath: ["/gpu/bin"],
  },
  nameService: [
    { type: "bind", source: "/etc/resolv.conf", target: "/etc/resolv.conf", access: "ro" },
  ],
  terminal: true,
});

const caller = { uid: 1000, gid: 1000 };

const bwrap = { name: "bwrap", program: "/usr/bin/bwrap", caller } as const;

/** What every sandbox is made without, so that root can't leave it. */
const dropped = [
  "SYS_ADMIN",
  "NET_ADMIN",
  "DAC_READ_SEARCH",
  "MKNOD",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_PTRACE",
  "SYS_BOOT",
  "SYS_TIME",
  "SYSLOG",
].flatMap((name) => ["--cap-drop", `CAP_${name}`]);

function planned(changes: Partial<LaunchPlan>): LaunchPlan {
  return { ...planLaunch(staged, launchOptions), ...changes };
}

describe("bwrapCommand", () => {
  test("is this for a plan of what is usual", () => {
    expect(bwrapCommand(planned({}), bwrap)).toEqual({
      argv: [
        "/usr/bin/bwrap",
        ...["--unshare-all", "--die-with-parent", "--new-session"],
        ...dropped,
        ...["--ro-bind", "/cache/v1/rootfs/key/rootfs", "/"],
        ...["--proc", "/proc"],
        ...["--dev", "/dev"],
        ...["--tmpfs", "/tmp"],
        ...["--tmpfs", "/run"],
        ...["--ro-bind", "/nix/store", "/nix/store"],
        ...["--tmpfs", "/scratch"],
        ...["--ro-bind", "/host/in", "/in"],
        ...["--bind", "/host/out", "/out"],
        ...["--chdir", "/work"],
        "--",
        ...["/entry", "arg"],
      ],
      env: planned({}).env,
      fds: [],
    });
  });

  test("is this for a plan that has everything", () => {
    expect(bwrapCommand(everything, bwrap).argv).toEqual([
      "/usr/bin/bwrap",
      ...["--unshare-all", "--die-with-parent", "--seccomp", "3", "--share-net"],
      ...["--unshare-user", "--uid", "0", "--gid", "7"],
      ...["--hostname", "box"],
      ...dropped,
      ...["--cap-drop", "CAP_NET_RAW", "--cap-drop", "ALL"],
      ...["--ro-bind", "/cache/v1/rootfs/key/rootfs", "/"],
      ...["--proc", "/proc"],
      ...["--dev", "/dev"],
      ...["--tmpfs", "/tmp"],
      ...["--tmpfs", "/run"],
      ...["--ro-bind", "/nix/store", "/nix/store"],
      ...["--tmpfs", "/scratch"],
      ...["--ro-bind", "/host/in", "/in"],
      ...["--bind", "/host/out", "/out"],
      ...["--dev-bind", "/dev/nvidia0", "/dev/nvidia0"],
      ...["--ro-bind", "/lib/libcuda.so.1", "/gpu/libcuda.so.1"],
      ...["--ro-bind", "/etc/resolv.conf", "/etc/resolv.conf"],
      ...["--setenv", "LD_LIBRARY_PATH", "/gpu"],
      ...["--chdir", "/work"],
      "--",
      ...["/entry", "arg"],
    ]);
  });

  test("keeps root's commands from setting the host's kernel, wherever /proc is", () => {
    const mountPoints = [{ target: "/proc", path: "/p", kind: "dir", created: true }] as const;
    const root = { ...bwrap, caller: { uid: 0, gid: 0 }, kernelFiles: ["sys", "irq"] };
    const { argv } = bwrapCommand(planLaunch({ ...staged, mountPoints }), root);
    const start = argv.indexOf("--proc");
    expect(argv.slice(start, start + 9)).toEqual([
      ...["--proc", "/p", "--ro-bind", "/proc/sys", "/p/sys", "--ro-bind", "/proc/irq", "/p/irq"],
      "--dev",
    ]);
  });

  test("has no option that bubblewrap 0.4.0 lacks", () => {
    const { options: found, command } = parse(bwrapCommand(everything, bwrap).argv);
    expect(found.length).toBeGreaterThan(10);
    expect(command).toEqual(["/entry", "arg"]);
  });

  test("mounts the root first and read-only", () => {
    const { options: found } = parse(bwrapCommand(everything, bwrap).argv);
    const mounts = found.filter(([name]) => name?.includes("bind") || name === "--tmpfs");
    expect(mounts[0]).toEqual(["--ro-bind", everything.rootfs, "/"]);
  });

  test("has the environment beside it, and none of it in its words", () => {
    const { argv, env } = bwrapCommand(planned({}), bwrap);
    expect(env).toEqual({ PATH: env["PATH"], HOME: "/", A: "1", B: "2" });
    expect(argv.join(" ")).not.toMatch(/--setenv|A=1/);
  });

  test("does not start bwrap with what would have it load the image's code", () => {
    const loader = { LD_PRELOAD: "/evil.so", LD_AUDIT: "/a", GCONV_PATH: "/b", TMPDIR: "/scratch" };
    const { argv, env } = bwrapCommand(planned({ env: { A: "1", ...loader } }), bwrap);
    expect(env).toEqual({ A: "1" });
    const set = parse(argv).options.filter(([name]) => name === "--setenv");
    expect(set).toEqual(Object.entries(loader).map((each) => ["--setenv", ...each]));
  });

  test("ends its options before a command that looks like one", () => {
    const plan: LaunchPlan = planned({ argv: ["--bind", "/", "/"] });
    expect(parse(bwrapCommand(plan, bwrap).argv).command).toEqual(["--bind", "/", "/"]);
  });

  test("lays an overlay over the root where that was seen to work", () => {
    const { argv } = bwrapCommand(planned({ root: "rw" }), { ...bwrap, canOverlay: true });
    const at = argv.indexOf("--overlay-src");
    expect(argv.slice(at, at + 4)).toEqual([
      ...["--overlay-src", staged.rootfs],
      ...["--tmp-overlay", "/"],
    ]);
    expect(argv).not.toContain("--ro-bind /");
  });

  test("refuses a writable root elsewhere, and says what there is instead", () => {
    const refused = refusal(() =>
      bwrapCommand(planned({ root: "rw" }), { ...bwrap, version: "0.8.0" }),
    );
    expect(refused).toMatchObject({
      code: "SANDBOX",
      message: "bwrap 0.8.0 can't make the root writable on this node",
      hint: expect.stringMatching(/0\.11.*5\.11.*--tmpfs DIR.*--apptainer.*--podman/),
    });
  });

  test("hands long options over in a descriptor, and leaves the command in its words", () => {
    const binds = Array.from({ length: 1000 }, (_, i) => {
      return {
        type: "bind",
        source: `/${"a".repeat(60)}${i}`,
        target: `/b${i}`,
        access: "ro",
      } as const;
    });
    const { argv, fds } = bwrapCommand(planned({ mounts: binds, terminal: true }), bwrap);
    expect(argv).toEqual(["/usr/bin/bwrap", "--args", "4", "--", "/entry", "arg"]);
    expect(fds.map(({ fd }) => fd)).toEqual([3, 4]);
    const words = Buffer.from(fds[1]?.content ?? [])
      .toString()
      .split("\0");
    expect(words.slice(0, 4)).toEqual(["--unshare-all", "--die-with-parent", "--seccomp", "3"]);
    expect(words.slice(-3)).toEqual(["--chdir", "/work", ""]);
    expect(words.filter((word) => word === "--ro-bind")).toHaveLength(1001);
  });

  test("says how many words bwrap takes where there are more", () => {
    const argv = ["cat", ...Array.from({ length: 9000 }, String)] as const;
    const refused = refusal(() => bwrapCommand(planned({ argv: ["cat", ...argv] }), bwrap));
    expect(refused).toMatchObject({ code: "SANDBOX", message: expect.stringContaining("8990") });
  });
});
