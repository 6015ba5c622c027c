import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { pathsInUse } from "../../src/host/paths-in-use.js";
import { scratchDirectory } from "../support/scratch-directory.js";

test("the working directories of processes are in use, and no longer when they have ended", async () => {
  const directory = scratchDirectory();
  expect([...pathsInUse()]).not.toContain(directory);
  const child = spawn("cat", { cwd: directory, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write("ready\n");
  await once(child.stdout, "data");
  expect([...pathsInUse()]).toContain(directory);
  child.stdin.end();
  await once(child, "exit");
  expect([...pathsInUse()]).not.toContain(directory);
});

const canUnshare = spawnSync("unshare", ["-m", "true"]).status === 0;

test("so are those mounted in another mount namespace", async ({ skip }) => {
  skip(!canUnshare, "making a mount namespace takes root");
  const [source, target] = [`${scratchDirectory()}/source`, scratchDirectory()];
  mkdirSync(source);
  const script = 'mount --bind "$1" "$2" && echo ready && read line';
  const args = ["-m", "sh", "-c", script, "sh", source, target];
  const child = spawn("unshare", args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const name = source.slice(source.lastIndexOf("stage-rootfs-test-"));
  const isInUse = () => [...pathsInUse()].some((text) => text.includes(name));
  expect(isInUse()).toBe(true);
  child.stdin.end();
  await once(child, "exit");
  expect(isInUse()).toBe(false);
});
