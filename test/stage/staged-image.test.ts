import { describe, expect, test } from "vitest";
import { isImageSummary, isStagedImage } from "../../src/stage/staged-image.js";

const config = {
  user: null,
  env: ["A=1"],
  entrypoint: null,
  cmd: ["x"],
  workingDir: null,
  labels: {},
  volumes: [],
  exposedPorts: [],
  stopSignal: null,
};

const image = {
  imageId: "sha256:a",
  platform: "linux/amd64",
  config,
  layers: [{ diffId: "sha256:b", unpackedSize: 1 }],
  mountPoints: [{ target: "/x", path: "/x", kind: "dir", created: true }],
  warnings: [{ code: "C", message: "m", count: 1, examples: [] }],
};

const place = { path: "x", kind: "dir", mode: 0o755, mtime: 1.5 };

describe("isStagedImage", () => {
  test("takes what this version writes", () => {
    expect(isStagedImage(image)).toBe(true);
    expect(isStagedImage(JSON.parse(JSON.stringify(image)))).toBe(true);
    const source = { reference: "docker://x", kind: "registry", path: null, digest: "sha256:c" };
    expect(isStagedImage({ ...image, source })).toBe(true);
    const planned = { mountPoints: image.mountPoints, places: [place] };
    expect(isStagedImage({ ...image, planned })).toBe(true);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a list", [image]],
    ["no ID", { ...image, imageId: undefined }],
    ["an ID that is a number", { ...image, imageId: 7 }],
    ["no config", { ...image, config: null }],
    ["a config without env", { ...image, config: { ...config, env: undefined } }],
    ["a config with labels in a list", { ...image, config: { ...config, labels: [] } }],
    ["no layers", { ...image, layers: undefined }],
    ["a layer without a size", { ...image, layers: [{ diffId: "sha256:b" }] }],
    ["layers that are null", { ...image, layers: [null] }],
    [
      "a mount point without a path",
      { ...image, mountPoints: [{ target: "/x", kind: "dir", created: true }] },
    ],
    ["mount points by name", { ...image, mountPoints: { "/x": image.mountPoints[0] } }],
    ["a plan without places", { ...image, planned: { mountPoints: [] } }],
    [
      "a planned place without a time",
      { ...image, planned: { mountPoints: [], places: [{ ...place, mtime: null }] } },
    ],
    ["a source that is a text", { ...image, source: "image.tar" }],
    [
      "a source without a reference",
      { ...image, source: { kind: "archive", path: null, digest: null } },
    ],
    [
      "a warning without a count",
      { ...image, warnings: [{ code: "C", message: "m", examples: [] }] },
    ],
  ])("takes no %s", (_, value) => {
    expect(isStagedImage(value)).toBe(false);
  });
});

describe("isImageSummary", () => {
  const summary = {
    imageId: "sha256:a",
    manifestDigest: null,
    platform: "linux/amd64",
    layers: [{ diffId: "sha256:b", digest: null, size: 1 }],
  };

  test("takes what this version writes", () => {
    expect(isImageSummary(summary)).toBe(true);
    expect(isImageSummary({ ...summary, manifestDigest: "sha256:c" })).toBe(true);
    expect(isImageSummary({ ...summary, layers: [] })).toBe(true);
  });

  test.each([
    ["nothing", undefined],
    ["no ID", { ...summary, imageId: null }],
    ["a manifest digest that is missing", { ...summary, manifestDigest: undefined }],
    ["no platform", { ...summary, platform: 1 }],
    ["layers by name", { ...summary, layers: { a: 1 } }],
    ["a layer without a diffID", { ...summary, layers: [{ size: 1 }] }],
    ["a layer whose size is text", { ...summary, layers: [{ diffId: "sha256:b", size: "1" }] }],
  ])("takes no %s", (_, value) => {
    expect(isImageSummary(value)).toBe(false);
  });
});
