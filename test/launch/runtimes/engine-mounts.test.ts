import { describe, expect, test } from "vitest";
import type { Mount } from "../../../src/launch/mount.js";
import {
  deviceValue,
  engineMounts,
  mountValue,
} from "../../../src/launch/runtimes/engine-mounts.js";
import { refusal } from "../../support/refusal.js";

describe("what an engine mounts", () => {
  const proc: Mount = { type: "proc", target: "/proc" };
  const tmp: Mount = { type: "tmpfs", target: "/tmp" };

  test("is what was planned, without /proc and /dev, which it mounts itself", () => {
    const mounts: readonly Mount[] = [proc, { type: "dev", target: "/dev" }, tmp];
    expect(engineMounts({ mounts }, "podman")).toEqual([tmp]);
  });

  test("can't be in another place than it knows", () => {
    const mounts: readonly Mount[] = [{ type: "proc", target: "/system/proc" }];
    const { code, message } = refusal(() => engineMounts({ mounts }, "docker"));
    expect(code).toBe("SANDBOX");
    expect(message).toBe("docker mounts /proc itself, and this image has it at /system/proc");
  });
});

describe("the value of --mount", () => {
  test.each([
    [["type=bind", "source=/a", "destination=/b"], "type=bind,source=/a,destination=/b"],
    [["type=bind", "source=/a,b:c d"], 'type=bind,"source=/a,b:c d"'],
    [['source=/a"b', "destination=/x\ny"], '"source=/a""b","destination=/x\ny"'],
  ])("of %j is one line of CSV", (fields, value) => {
    expect(mountValue(fields, "podman")).toBe(value);
  });

  test("has no carriage return, which would be lost", () => {
    const { code, message } = refusal(() => mountValue(["source=/a\rb"], "podman"));
    expect([code, message]).toEqual([
      "SANDBOX",
      "podman can't mount a path with a carriage return: source=/a\\x0db",
    ]);
  });
});

test("a device's path has no colon, at which it would be split", () => {
  const device = { type: "bind", source: "/dev/a", target: "/dev/b", access: "dev" } as const;
  expect(deviceValue(device, "docker")).toBe("/dev/a:/dev/b");
  expect(refusal(() => deviceValue({ ...device, source: "/dev/a:b" }, "docker")).message).toBe(
    "docker can't take a path with a colon here: /dev/a:b",
  );
});
