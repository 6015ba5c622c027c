import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { configPlaces, systemConfig } from "../../src/config/places.js";
import { readConfiguration } from "../../src/config/read-configuration.js";
import { refusal } from "../support/refusal.js";
import { asOrdinaryUser, scratchDirectory } from "../support/scratch-directory.js";

function fileWith(path: string, keepLast: number): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `cache.keep_last = ${keepLast}`);
  return path;
}

test.each([
  [{}, undefined, [systemConfig]],
  [{ HOME: "/h" }, undefined, ["/h/.config/stage-rootfs/config.toml", systemConfig]],
  [{ HOME: "/h", XDG_CONFIG_HOME: "/x" }, undefined, ["/x/stage-rootfs/config.toml", systemConfig]],
  [{ HOME: "/h", STAGE_ROOTFS_CONFIG: "/e" }, undefined, ["/e"]],
  [
    { HOME: "/h", STAGE_ROOTFS_CONFIG: "" },
    "",
    ["/h/.config/stage-rootfs/config.toml", systemConfig],
  ],
  [{ STAGE_ROOTFS_CONFIG: "/e" }, "/o", ["/o"]],
  [{}, "o", [`${process.cwd()}/o`]],
])("in the environment %j, with --config %j, the places are %j", (env, option, paths) => {
  expect(configPlaces({ option, env }).map(({ path }) => path)).toEqual(paths);
});

test("the first file that is there is the only one that counts", () => {
  const home = scratchDirectory();
  const file = fileWith(`${home}/.config/stage-rootfs/config.toml`, 1);
  const named = fileWith(`${home}/named.toml`, 2);
  const env = { HOME: home };
  expect(readConfiguration({ option: undefined, env })).toMatchObject({
    file,
    cache: { keepLast: 1 },
  });
  expect(readConfiguration({ option: named, env })).toMatchObject({
    file: named,
    cache: { keepLast: 2 },
  });
});

test.each([
  ["--config", "/missing.toml", {}],
  ["$STAGE_ROOTFS_CONFIG", undefined, { STAGE_ROOTFS_CONFIG: "/missing.toml" }],
])("a missing file that %s names is refused", (name, option, env) => {
  const error = refusal(() => readConfiguration({ option, env }));
  expect(error.exitStatus).toBe(78);
  expect(error.message).toBe(`/missing.toml, which ${name} names, does not exist`);
});

test("what is no regular file, or endless, is refused and not waited for", () => {
  const directory = scratchDirectory();
  const fifo = `${directory}/fifo`;
  execFileSync("mkfifo", [fifo]);
  const large = `${directory}/large`;
  writeFileSync(large, "");
  truncateSync(large, 2 ** 40);
  for (const [option, why] of [
    [fifo, "is not a regular file"],
    ["/dev/zero", "is not a regular file"],
    [directory, "is a directory"],
    [large, "is larger than 4194304 bytes"],
  ]) {
    const error = refusal(() => readConfiguration({ option, env: {} }));
    expect(error).toMatchObject({ code: "CONFIG", message: `cannot read ${option}: it ${why}` });
  }
});

test("the null device stands for an empty file", () => {
  expect(readConfiguration({ option: "/dev/null", env: {} })).toMatchObject({ file: "/dev/null" });
});

test("a file that is no file or no UTF-8 is refused", () => {
  const directory = scratchDirectory();
  expect(refusal(() => readConfiguration({ option: directory, env: {} })).code).toBe("CONFIG");
  writeFileSync(`${directory}/latin1`, Buffer.from("# \xe9", "latin1"));
  const error = refusal(() => readConfiguration({ option: `${directory}/latin1`, env: {} }));
  expect(error.message).toContain("UTF-8");
});

test("a home that the user can't enter is none, as after su; a named file there is refused", () => {
  const scratch = scratchDirectory();
  const home = `${scratch}/home`;
  const file = fileWith(`${home}/.config/stage-rootfs/config.toml`, 1);
  chmodSync(scratch, 0o755);
  chmodSync(home, 0o000);
  asOrdinaryUser(home, () => {
    const env = { HOME: home };
    expect(readConfiguration({ option: undefined, env }).cache.keepLast).toBeUndefined();
    expect(refusal(() => readConfiguration({ option: file, env })).code).toBe("CONFIG");
  });
  chmodSync(home, 0o700);
});
