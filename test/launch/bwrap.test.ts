import { describe, expect, test } from "vitest";
import { bwrapCommand } from "../../src/launch/bwrap.js";
import { type LaunchPlan, planLaunch } from "../../src/launch/plan.js";

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

const everything: LaunchPlan = planLaunch(
  {
    rootfs: "/cache/v1/rootfs/key/rootfs",
    config: { env: ["A=1"], entrypoint: ["/entry"], cmd: ["arg"], workingDir: "/work" },
    mountPoints: [],
  },
  {
    nixStore: true,
    binds: [
      { source: "/host/in", target: "/in", access: "ro" },
      { source: "/host/out", target: "/out", access: "rw" },
    ],
    env: { B: "2" },
  },
);

describe("bwrapCommand", () => {
  test("is this for a plan that has everything", () => {
    expect(bwrapCommand(everything, { name: "bwrap", program: "/usr/bin/bwrap" }).argv).toEqual([
      "/usr/bin/bwrap",
      ...["--unshare-all", "--die-with-parent", "--new-session"],
      ...["--ro-bind", "/cache/v1/rootfs/key/rootfs", "/"],
      ...["--proc", "/proc"],
      ...["--dev", "/dev"],
      ...["--tmpfs", "/tmp"],
      ...["--tmpfs", "/run"],
      ...["--ro-bind", "/nix/store", "/nix/store"],
      ...["--ro-bind", "/host/in", "/in"],
      ...["--bind", "/host/out", "/out"],
      ...["--chdir", "/work"],
      "--",
      ...["/entry", "arg"],
    ]);
  });

  test("has no option that bubblewrap 0.4.0 lacks", () => {
    const { options: found, command } = parse(
      bwrapCommand(everything, { name: "bwrap", program: "bwrap" }).argv,
    );
    expect(found.length).toBeGreaterThan(10);
    expect(command).toEqual(["/entry", "arg"]);
  });

  test("mounts the root first and read-only", () => {
    const { options: found } = parse(
      bwrapCommand(everything, { name: "bwrap", program: "bwrap" }).argv,
    );
    const mounts = found.filter(([name]) => name?.includes("bind") || name === "--tmpfs");
    expect(mounts[0]).toEqual(["--ro-bind", everything.rootfs, "/"]);
  });

  test("has the environment beside it, and none of it in its words", () => {
    const { argv, env } = bwrapCommand(everything, { name: "bwrap", program: "bwrap" });
    expect(env).toEqual(everything.env);
    expect(argv.join(" ")).not.toMatch(/--setenv|A=1/);
  });

  test("ends its options before a command that looks like one", () => {
    const plan: LaunchPlan = { ...everything, argv: ["--bind", "/", "/"] };
    expect(parse(bwrapCommand(plan, { name: "bwrap", program: "bwrap" }).argv).command).toEqual([
      "--bind",
      "/",
      "/",
    ]);
  });
});
