import { describe, expect, test } from "vitest";
import { type LaunchOptions, planLaunch, type StagedRootfs } from "../../../src/launch/plan.js";
import type { Runtime } from "../../../src/launch/runtime.js";
import { podmanCommand } from "../../../src/launch/runtimes/podman.js";
import { refusal } from "../../support/refusal.js";

const staged: StagedRootfs = {
  rootfs: "/cache/v1/rootfs/key/rootfs",
  config: { env: ["A=1"], entrypoint: ["/entry"], cmd: ["arg"], workingDir: "/work" },
  mountPoints: [],
};

const podman: Runtime = { name: "podman", program: "/usr/bin/podman", version: "4.3.1" };
const ordinary: Runtime = { ...podman, caller: { uid: 1000, gid: 100 } };

function commandFor(options: LaunchOptions = {}, runtime: Runtime = podman) {
  return podmanCommand(planLaunch(staged, options), runtime);
}

/** The words after each occurrence of an option. */
function valuesOf(option: string, argv: readonly string[]): readonly string[] {
  return argv.flatMap((word, i) => (word === option ? [argv[i + 1] ?? ""] : []));
}

describe("podmanCommand", () => {
  test("is this for an image alone, started by root", () => {
    expect(commandFor()).toEqual({
      argv: [
        "/usr/bin/podman",
        ...["--log-level", "fatal", "--events-backend", "none", "--runtime", "crun"],
        ...["run", "--rm", "--interactive"],
        ...["--detach-keys", "", "--log-driver", "none", "--pull", "never"],
        ...["--init", "--systemd=false", "--cgroups=disabled"],
        ...["--security-opt", "no-new-privileges", "--security-opt", "label=disable"],
        ...["--read-only", "--read-only-tmpfs=false"],
        ...["--user", "0:0", "--passwd=false"],
        ...["--network", "none", "--no-hosts", "--uts", "host", "--shm-size", "0"],
        ...["--mount", "type=tmpfs,destination=/tmp,tmpfs-mode=1777,notmpcopyup"],
        ...["--mount", "type=tmpfs,destination=/run,tmpfs-mode=1777,notmpcopyup"],
        ...["--unsetenv-all", "--http-proxy=false"],
        ...["--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        ...["--env", "HOME=/", "--env", "A"],
        ...["--workdir", "/work", "--rootfs", "/cache/v1/rootfs/key/rootfs:O"],
        ...["/entry", "arg"],
      ],
      env: { A: "1" },
      fds: [],
    });
  });

  test("for an ordinary user maps one id, the caller's, and keeps the caller's groups", () => {
    const { argv } = commandFor({}, ordinary);
    const from = argv.indexOf("--uidmap");
    expect(argv.slice(from, from + 11)).toEqual([
      ...["--uidmap", "1000:0:1", "--gidmap", "100:0:1"],
      ...["--user", "1000:100", "--passwd=false", "--group-add", "keep-groups"],
      ...["--sysctl", "net.ipv4.ping_group_range=100 100"],
    ]);
  });

  test.each([
    [podman, "7:8", []],
    [ordinary, "7:8", ["7:0:1"]],
  ])("runs the command as whom it is asked to: %j", (runtime, user, map) => {
    const { argv } = commandFor({ user: { uid: 7, gid: 8 } }, runtime);
    expect(valuesOf("--user", argv)).toEqual([user]);
    expect(valuesOf("--uidmap", argv)).toEqual(map);
  });

  test("with the host's network leaves the network's settings and the hosts file to podman", () => {
    const { argv } = commandFor({ network: "host" }, ordinary);
    expect(valuesOf("--network", argv)).toEqual(["host"]);
    expect(argv).not.toContain("--no-hosts");
    expect(argv).not.toContain("--sysctl");
  });

  test("mounts what is bound, read-only where asked, and devices as devices", () => {
    const { argv } = commandFor({
      binds: [
        { source: "/host/in", target: "/in", access: "ro" },
        { source: "/host/o,ut", target: "/out", access: "rw" },
      ],
      tmpfs: ["/tmp", "/scratch"],
      gpu: {
        vendor: "nvidia",
        mounts: [
          { type: "bind", source: "/dev/nvidia0", target: "/dev/nvidia0", access: "dev" },
          { type: "bind", source: "/lib/libcuda.so.1", target: "/gpu/libcuda.so.1", access: "ro" },
        ],
        libraryPath: ["/gpu"],
        programPath: [],
      },
    });
    expect(valuesOf("--mount", argv)).toEqual([
      "type=tmpfs,destination=/run,tmpfs-mode=1777,notmpcopyup",
      "type=tmpfs,destination=/tmp,tmpfs-mode=1777,notmpcopyup",
      "type=tmpfs,destination=/scratch,tmpfs-mode=1777,notmpcopyup",
      "type=bind,source=/host/in,destination=/in,readonly=true",
      'type=bind,"source=/host/o,ut",destination=/out',
      "type=bind,source=/lib/libcuda.so.1,destination=/gpu/libcuda.so.1,readonly=true",
    ]);
    expect(valuesOf("--device", argv)).toEqual(["/dev/nvidia0:/dev/nvidia0"]);
    expect(valuesOf("--env", argv)).toContain("LD_LIBRARY_PATH=/gpu");
  });

  test.each<[string, LaunchOptions, string[]]>([
    ["a host name", { hostname: "box" }, ["--hostname", "box"]],
    ["fewer capabilities", { dropCapabilities: ["ALL"] }, ["--cap-drop", "ALL"]],
    ["a terminal", { terminal: true }, ["--interactive", "--tty"]],
    ["a working directory", { workingDir: "/a b" }, ["--workdir", "/a b"]],
  ])("gives the command %s", (_, options, words) => {
    const { argv } = commandFor(options);
    const from = argv.indexOf(words[0] ?? "");
    expect(argv.slice(from, from + 2)).toEqual(words);
  });

  test("for a root that can be written to differs in nothing else", () => {
    const readOnly = commandFor().argv;
    expect(commandFor({ writable: true }).argv).toEqual(
      readOnly.filter((word) => !word.startsWith("--read-only")),
    );
  });

  test("gives podman the caller's variables, whatever the image says", () => {
    const runtime = { ...podman, callerEnv: { PATH: "/usr/bin", A: "caller's" } };
    const { argv, env } = commandFor({ env: { TOKEN: "secret" } }, runtime);
    expect(env).toEqual({ PATH: "/usr/bin", A: "caller's", TOKEN: "secret" });
    expect(valuesOf("--env", argv)).toEqual([
      expect.stringMatching(/^PATH=.*:\/bin$/),
      "HOME=/",
      "A=1",
      "TOKEN",
    ]);
  });

  test("leaves the control groups to runc", () => {
    const { argv } = commandFor({}, { ...podman, ociRuntime: "runc" });
    expect(valuesOf("--runtime", argv)).toEqual(["runc"]);
    expect(argv).not.toContain("--cgroups=disabled");
  });

  test.each([undefined, "4.3.1", "4.10.0", "5.0"])("takes podman %s", (version) => {
    expect(commandFor({}, { ...podman, version }).argv).toContain("--rootfs");
  });
});

describe("podman can't", () => {
  test.each<[string, Runtime, LaunchOptions, RegExp]>([
    ["be older than 4.3", { ...podman, version: "3.4.4" }, {}, /3\.4\.4 is too old/],
    ["be 4.2 either", { ...podman, version: "4.2.0" }, {}, /4\.2\.0 is too old/],
    ["with runc be an ordinary user", { ...ordinary, ociRuntime: "runc" }, {}, /as root only/],
  ])("%s", (_, runtime, options, message) => {
    const found = refusal(() => commandFor(options, runtime));
    expect(found).toMatchObject({ code: "SANDBOX", message: expect.stringMatching(message) });
    expect(found.hint).toBeDefined();
  });

  test("but as root in its own eyes runc can", () => {
    const runtime: Runtime = { ...ordinary, ociRuntime: "runc" };
    const { argv } = commandFor({ user: { uid: 0, gid: 0 } }, runtime);
    expect(valuesOf("--uidmap", argv)).toEqual(["0:0:1"]);
  });

  test.each(["/a,b", "/a\\b"])("have a rootfs at %s", (rootfs) => {
    const plan = planLaunch({ ...staged, rootfs });
    expect(refusal(() => podmanCommand(plan, podman)).message).toBe(
      `podman can't have a rootfs at ${rootfs}`,
    );
  });
});
