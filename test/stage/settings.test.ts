import { writeFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { settingsOf } from "../../src/stage/settings.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

function configFile(...lines: readonly string[]): string {
  const path = `${scratchDirectory()}/config.toml`;
  writeFileSync(path, lines.join("\n"));
  return path;
}

function setEnvironment(name: string, value: string | undefined): void {
  vi.stubEnv(name, value);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

const uid = process.geteuid?.() ?? 0;
const name = uid === 0 ? "stage-rootfs" : `stage-rootfs-${uid}`;

test("the cache is where the target has its local path", () => {
  const config = configFile("[targets.a]", "base_path='/a'", "[targets.b]", "base_path='/b'");
  expect(settingsOf({ config, target: "b" }).cacheDirectory).toBe(`/b/${name}`);
  expect(settingsOf({ config, target: "b", cacheDir: "/c" }).cacheDirectory).toBe("/c");
});

test("a file that the environment names counts, unless nothing depends on it", () => {
  setEnvironment("STAGE_ROOTFS_CONFIG", configFile("[targets.a]", "node_local_path='/local'"));
  setEnvironment("STAGE_ROOTFS_CACHE_DIR", "");
  expect(settingsOf({}).cacheDirectory).toBe(`/local/${name}`);
  setEnvironment("STAGE_ROOTFS_CONFIG", "/missing");
  expect(refusal(() => settingsOf({})).code).toBe("CONFIG");
  expect(settingsOf({ cacheDir: "/c" }).cacheDirectory).toBe("/c");
  setEnvironment("STAGE_ROOTFS_CACHE_DIR", "/d");
  const settings = settingsOf({});
  expect(settings.cacheDirectory).toBe("/d");
  expect(refusal(settings.configuration).code).toBe("CONFIG");
});

test("what the caller names has to be there, even if nothing depends on it", () => {
  expect(refusal(() => settingsOf({ cacheDir: "/c", config: "/missing" })).code).toBe("CONFIG");
  const config = configFile("[targets.a]");
  expect(refusal(() => settingsOf({ cacheDir: "/c", config, target: "b" })).code).toBe("CONFIG");
});
