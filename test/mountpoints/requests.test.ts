import { describe, expect, test } from "vitest";
import {
  checkMountTarget,
  parseMountRequest,
  standardMountRequests,
} from "../../src/mountpoints/requests.js";
import { refusal } from "../support/refusal.js";

describe("checkMountTarget", () => {
  test.each([
    ["/data", "/data"],
    ["/data/", "/data"],
    ["//data//sub///", "/data/sub"],
    ["/./data/./sub/.", "/data/sub"],
    ["/a b/ä", "/a b/ä"],
    ["/...", "/..."],
    ["/a:b", "/a:b"],
    ["/..a/b..", "/..a/b.."],
  ])("takes %j for %j", (target, path) => {
    expect(checkMountTarget(target)).toBe(path);
  });

  test.each([
    ["", "is not absolute"],
    ["data", "is not absolute"],
    ["./data", "is not absolute"],
    ["~/data", "is not absolute"],
    ["/", "is the root itself"],
    ["///", "is the root itself"],
    ["/./", "is the root itself"],
    ["/..", "is not a plain path"],
    ["/a/../b", "is not a plain path"],
    ["/a/..", "is not a plain path"],
    ["/a\0b", "is not a plain path"],
  ])("refuses %j: it %s", (target, doubt) => {
    const error = refusal(() => checkMountTarget(target));
    expect(error.code).toBe("USAGE");
    expect(error.message).toContain(doubt);
  });
});

describe("parseMountRequest", () => {
  test.each([
    ["/data", "/data", "any"],
    ["/data:dir", "/data", "dir"],
    ["/data:file", "/data", "file"],
    ["/data/:dir", "/data", "dir"],
    ["/dir:dir:file", "/dir:dir", "file"],
    ["/a:b", "/a:b", "any"],
    ["/data:DIR", "/data:DIR", "any"],
    ["/line\nfeed:file", "/line\nfeed", "file"],
    ["/data:", "/data:", "any"],
  ] as const)("takes %j for %j as %s", (text, target, kind) => {
    expect(parseMountRequest(text)).toEqual({ target, kind });
  });

  test.each(["", ":dir", "dir", "data:file", "/:dir", "/..:dir"])("refuses %j", (text) => {
    expect(refusal(() => parseMountRequest(text)).code).toBe("USAGE");
  });
});

describe("the standard set", () => {
  const targets = (options: Parameters<typeof standardMountRequests>[0]) =>
    standardMountRequests(options).map(({ target, kind }) => `${target} ${kind}`);

  test("has what every sandbox may need", () => {
    expect(targets({ workingDir: null, nixStore: false })).toEqual([
      "/proc dir",
      "/dev dir",
      "/sys dir",
      "/tmp dir",
      "/run dir",
      "/var/tmp dir",
      "/etc/resolv.conf file",
      "/etc/hosts file",
      "/etc/hostname file",
      "/etc/passwd file",
      "/etc/group file",
    ]);
  });

  test("has the working directory and the Nix store where they are wanted", () => {
    const found = targets({ workingDir: "/srv//dir/", nixStore: true });
    expect(found.slice(-2)).toEqual(["/nix/store dir", "/srv/dir dir"]);
  });

  test("has no working directory where that is the root", () => {
    expect(targets({ workingDir: "/", nixStore: false })).toHaveLength(11);
  });
});
