import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FoundHostPath } from "../../src/launch/grants/host-paths.js";
import { grantsOf, hostPathsFor, impurityWarnings } from "../../src/launch/grants.js";
import { writeFiles } from "../support/file-set.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const nothing = { gpu: undefined, network: "none", hostPaths: undefined } as const;

test("without wishes a sandbox gets nothing of the host", () => {
  expect(grantsOf(nothing)).toEqual({
    hostPaths: [],
    gpu: undefined,
    nameService: [],
    mountRequests: [],
    warnings: [],
  });
});

test("with the host's network it gets what resolves names", () => {
  const { nameService } = grantsOf({ ...nothing, network: "host" });
  expect(nameService.map(({ target }) => target)).toContain("/etc/hosts");
});

test.each(["", "amd", "NVIDIA"])("a GPU of %j is refused", (gpu) => {
  expect(refusal(() => grantsOf({ ...nothing, gpu }))).toMatchObject({
    code: "USAGE",
    message: `--gpu takes nvidia, not "${gpu}"`,
  });
});

describe("the impure mode", () => {
  test("asks for places that leave alone what the image has, but for those that are listed", () => {
    const data = scratchDirectory();
    const { mountRequests } = grantsOf({ ...nothing, hostPaths: { all: true, paths: [data] } });
    expect(mountRequests).toContainEqual({ target: "/usr", kind: "any" });
    expect(mountRequests).toContainEqual({ target: data, kind: "dir" });
  });

  function hostPath(target: string, isOptional = true): FoundHostPath {
    return { source: target, target, access: "rw", kind: "dir", isOptional };
  }

  test("shows what is listed, and of the rest what the image has nothing of", () => {
    const rootfs = writeFiles(
      scratchDirectory(),
      new Map([
        ["usr/bin/sh", "x"],
        ["etc/fstab", "x"],
      ]),
    );
    mkdirSync(join(rootfs, "home"));
    mkdirSync(join(rootfs, "linked"));
    const point = (target: string, path = target, kind: "dir" | "file" = "dir") => {
      return { target, path, kind, created: false };
    };
    const mountPoints = [
      point("/usr"),
      point("/home"),
      point("/bin", "/usr/bin"),
      point("/opt", "/linked"),
      point("/etc"),
      point("/file", "/etc/fstab", "file"),
    ];
    const hostPaths = [
      ...["/usr", "/home", "/bin", "/opt", "/file", "/unasked"].map((target) => hostPath(target)),
      hostPath("/etc", false),
    ];
    const binds = hostPathsFor({ hostPaths }, { rootfs, mountPoints });
    expect(binds).toEqual(
      ["/home", "/opt", "/etc"].map((path) => ({ source: path, target: path, access: "rw" })),
    );
  });

  test("is warned of, with what is shown and who wants it", () => {
    const bind = { source: "/home", target: "/home", access: "rw" } as const;
    expect(impurityWarnings([], "/etc/c.toml")).toEqual([]);
    expect(impurityWarnings([bind], "/etc/c.toml")).toEqual([
      "/etc/c.toml has the sandbox see and change the host's /home: what it does can't be reproduced elsewhere",
    ]);
  });
});
