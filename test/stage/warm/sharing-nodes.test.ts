import { existsSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { checkOptions } from "../../../src/stage/request.js";
import { sharingNodes } from "../../../src/stage/warm/sharing-nodes.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

afterEach(() => void vi.unstubAllEnvs());

/** The options of a node whose cache is to be at that place. */
function optionsFor(cacheDir: string) {
  return checkOptions({ cacheDir, allowDisks: ["tmpfs"] });
}

describe("nodes that share a cache", () => {
  test("are found in a run over many, also where there is no cache yet", () => {
    vi.stubEnv("STAGE_ROOTFS_WARM_RUN", "0a1b");
    const request = optionsFor(`${scratchDirectory()}/cache`);
    expect(sharingNodes(request, { node: "n1" })).toEqual([]);
    expect(sharingNodes(request, { node: "n2" })).toEqual(["n1"]);
  });

  test("are not looked for by one node alone, which makes nothing", () => {
    vi.stubEnv("STAGE_ROOTFS_WARM_RUN", "");
    const cacheDir = `${scratchDirectory()}/cache`;
    expect(sharingNodes(optionsFor(cacheDir), { node: "n1" })).toEqual([]);
    expect(existsSync(cacheDir)).toBe(false);
  });

  test("are left alone where there can't be a cache: the first image says why", () => {
    vi.stubEnv("STAGE_ROOTFS_WARM_RUN", "0a1b");
    const cacheDir = `${scratchDirectory()}/cache`;
    writeFileSync(cacheDir, "");
    expect(sharingNodes(optionsFor(cacheDir), { node: "n1" })).toEqual([]);
  });
});
