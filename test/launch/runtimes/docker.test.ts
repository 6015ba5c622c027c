import { describe, expect, test } from "vitest";
import { type LaunchOptions, planLaunch, type StagedRootfs } from "../../../src/launch/plan.js";
import type { Runtime } from "../../../src/launch/runtime.js";
import { dockerCommand } from "../../../src/launch/runtimes/docker.js";
import { refusal } from "../../support/refusal.js";

const imageId = `sha256:${"1".repeat(64)}`;

const staged: StagedRootfs = {
  rootfs: "/cache/rootfs",
  imageId,
  config: { env: ["A=1"], entrypoint: ["/entry"], cmd: ["arg"], workingDir: "/work" },
  mountPoints: [],
};

const docker: Runtime = {
  name: "docker",
  program: "/usr/bin/docker",
  caller: { uid: 1000, gid: 100 },
};

function commandFor(options: LaunchOptions = {}, image: StagedRootfs = staged) {
  return dockerCommand(planLaunch(image, options), docker);
}

describe("dockerCommand", () => {
  test("is this for an image alone", () => {
    expect(commandFor()).toEqual({
      argv: [
        ...["/usr/bin/docker", "run", "--rm", "--interactive"],
        ...["--log-driver", "none", "--pull", "never", "--no-healthcheck", "--init"],
        ...["--security-opt", "no-new-privileges", "--read-only", "--user", "1000:100"],
        ...["--network", "none", "--uts", "host"],
        ...["--tmpfs", "/tmp:rw,exec,nosuid,nodev,mode=1777"],
        ...["--tmpfs", "/run:rw,exec,nosuid,nodev,mode=1777"],
        ...["--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        ...["--env", "HOME=/", "--env", "A"],
        ...["--workdir", "/work", "--entrypoint", "", imageId],
        ...["/entry", "arg"],
      ],
      env: { A: "1" },
      fds: [],
    });
  });

  test("has all that can be asked for", () => {
    const { argv } = commandFor({
      binds: [
        { source: "/host/in", target: "/in", access: "ro" },
        { source: "/dev/x", target: "/dev/x", access: "rw" },
      ],
      user: { uid: 0, gid: 0 },
      network: "host",
      hostname: "box",
      dropCapabilities: ["CAP_NET_RAW"],
      terminal: true,
      writable: true,
      gpu: { vendor: "nvidia", mounts: [], libraryPath: ["/gpu"], programPath: [] },
    });
    const words = argv.join(" ");
    for (const part of [
      "--interactive --tty",
      "--user 0:0",
      "--cap-drop CAP_NET_RAW",
      "--network host",
      "--hostname box",
      "--mount type=bind,source=/host/in,destination=/in,readonly",
      "--mount type=bind,source=/dev/x,destination=/dev/x --gpus all",
    ]) {
      expect(words).toContain(part);
    }
    expect(words).not.toMatch(/--read-only|--uts|LD_LIBRARY_PATH/);
  });

  test("has the engine load the image first, where a file has it", () => {
    const { argv } = commandFor({ imageFile: "/images/a b.tar" });
    expect([...argv.slice(0, 2), ...argv.slice(3, 9)]).toEqual([
      ...["/bin/sh", "-c", "sh", "/usr/bin/docker", imageId, "/images/a b.tar"],
      ...["/usr/bin/docker", "run"],
    ]);
    expect(argv.slice(7)).toEqual(commandFor().argv);
  });
});

describe("docker can't", () => {
  test("run an image whose ID is not known", () => {
    const { imageId: _, ...unknown } = staged;
    const { code, message } = refusal(() => commandFor({}, unknown));
    expect(code).toBe("SANDBOX");
    expect(message).toBe("docker takes images by their ID, and this one's is not known");
  });

  test("mount a tmpfs at a path with a colon", () => {
    expect(refusal(() => commandFor({ tmpfs: ["/a:b"] })).message).toContain("/a:b");
  });
});
