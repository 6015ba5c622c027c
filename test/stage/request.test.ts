import { describe, expect, test } from "vitest";
import {
  checkRequest,
  keyOf,
  mountRequestsOf,
  type StageOptions,
} from "../../src/stage/request.js";
import { refusal } from "../support/refusal.js";

const isRoot = process.geteuid?.() === 0;
const cacheDir = "/cache";

describe("checkRequest", () => {
  test("fills in what this user does by default", () => {
    const request = checkRequest("image.tar", { cacheDir });
    expect(request).toMatchObject({
      image: "image.tar",
      cacheDirectory: "/cache",
      uid: process.geteuid?.(),
      policy: { owner: isRoot ? "image" : "squash", setuid: "drop" },
      platform: undefined,
      mounts: [],
    });
    expect(request.layout.tmp).toBe("/cache/v1/tmp");
  });

  test("gives mount targets in one spelling", () => {
    const mounts = [{ target: "//data/./x/", kind: "dir" }] as const;
    expect(checkRequest("i", { cacheDir, mounts }).mounts).toEqual([
      { target: "/data/x", kind: "dir" },
    ]);
  });

  const wrong: readonly (readonly [string, string, StageOptions])[] = [
    ["no image", "", {}],
    ["no jobs", "i", { jobs: 0 }],
    ["half a job", "i", { jobs: 1.5 }],
    ["too many jobs", "i", { jobs: 1025 }],
    ["jobs that are no number", "i", { jobs: Number.NaN }],
    ["a platform that is none", "i", { platform: "amd64" }],
    ["a mount target that is not absolute", "i", { mounts: [{ target: "data", kind: "dir" }] }],
    ["a mount target that climbs", "i", { mounts: [{ target: "/a/../..", kind: "dir" }] }],
    ["the root as a mount target", "i", { mounts: [{ target: "/", kind: "dir" }] }],
  ];

  test.each(wrong)("refuses %s", (_, image, options) => {
    expect(refusal(() => checkRequest(image, { cacheDir, ...options })).code).toBe("USAGE");
  });

  test("lets root alone give files the image's owners", () => {
    const check = () => checkRequest("i", { cacheDir, owner: "image" });
    if (isRoot) expect(check().policy.owner).toBe("image");
    else expect(refusal(check).code).toBe("USAGE");
  });
});

describe("the key", () => {
  const image = {
    imageId: "sha256:abc",
    manifestDigest: null,
    platform: "linux/amd64",
    layers: [],
  } as const;

  test.each<readonly [StageOptions, string]>([
    [{}, "sha256-abc"],
    [{ owner: "squash" }, isRoot ? "sha256-abc-squash" : "sha256-abc"],
    [{ keepSetuid: true }, "sha256-abc-setuid"],
    [
      { owner: "squash", keepSetuid: true },
      isRoot ? "sha256-abc-squash-setuid" : "sha256-abc-setuid",
    ],
    [{ jobs: 3, wait: 5, nixStore: true, mounts: [{ target: "/x", kind: "dir" }] }, "sha256-abc"],
  ])("with %j is %s", (options, key) => {
    expect(keyOf(checkRequest("i", { cacheDir, ...options }), image)).toBe(key);
  });
});

test("the mount points asked for come after the standard set", () => {
  const mounts = [{ target: "/x", kind: "any" }] as const;
  const config = { workingDir: "/w", env: [], entrypoint: null, cmd: null, user: null };
  const rest = { labels: {}, volumes: [], exposedPorts: [], stopSignal: null };
  const request = checkRequest("i", { cacheDir, mounts, nixStore: true });
  const targets = mountRequestsOf(request, { ...config, ...rest }).map(({ target }) => target);
  expect(targets.slice(-3)).toEqual(["/nix/store", "/w", "/x"]);
  expect(targets).toContain("/proc");
});
