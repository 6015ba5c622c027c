import { existsSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fsyncPath, isInMemory, syncFileSystem } from "../../src/host/sync-file-system.js";
import { withSync } from "../support/fake-sync.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

afterEach(() => void vi.unstubAllEnvs());

const patience = 20_000;

describe("syncFileSystem", () => {
  test("has the disk take what was written", async () => {
    const directory = scratchDirectory();
    writeFileSync(`${directory}/f`, "content");
    expect(await syncFileSystem(directory, { patience })).toBe("synced");
  });

  test("asks for the one file system alone", async () => {
    const directory = scratchDirectory();
    withSync(`/usr/bin/test "$*" = "-f ${directory}" && : > ${directory}/called`);
    expect(await syncFileSystem(directory, { patience })).toBe("synced");
    expect(existsSync(`${directory}/called`)).toBe(true);
  });

  test("says that it can't where there is no such program", async () => {
    withSync();
    expect(await syncFileSystem("/", { patience })).toBe("unavailable");
  });

  test.each([
    "echo \"sync: invalid option -- 'f'\" >&2; exit 1",
    "echo 'sync: ignoring all arguments' >&2; exit 2",
    "kill -9 $$",
  ])("says that it can't where the program doesn't: %s", async (script) => {
    withSync(script);
    expect(await syncFileSystem("/", { patience })).toBe("unavailable");
  });

  test.each([
    ["Input/output error", "NOT_WRITABLE"],
    ["No space left on device", "NO_SPACE"],
    ["Disk quota exceeded", "NO_SPACE"],
  ])("fails where the disk has refused what was written: %s", async (reason, code) => {
    withSync(`echo "sync: error syncing '/cache': ${reason}" >&2; exit 1`);
    const error = await rejection(syncFileSystem("/cache", { patience }));
    expect(error.code).toBe(code);
    expect(error.exitStatus).toBe(73);
    expect(error.message).toBe(`cannot write /cache to its disk: ${reason.toLowerCase()}`);
  });

  test("waits no longer than it may", async () => {
    withSync("exec /bin/sleep 20");
    const start = performance.now();
    expect(await syncFileSystem("/", { patience: 50 })).toBe("late");
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("ends when it is aborted, with the reason given", async () => {
    withSync("exec /bin/sleep 20");
    const controller = new AbortController();
    const reason = new Error("stop");
    const syncing = syncFileSystem("/", { patience, signal: controller.signal });
    controller.abort(reason);
    await expect(syncing).rejects.toBe(reason);
    await expect(syncFileSystem("/", { patience, signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });
});

test("fsyncPath takes directories and files", () => {
  const directory = scratchDirectory();
  writeFileSync(`${directory}/f`, "content");
  fsyncPath(directory);
  fsyncPath(`${directory}/f`);
  expect(() => fsyncPath(`${directory}/missing`)).toThrow("ENOENT");
});

test("isInMemory tells a disk in memory", () => {
  expect(isInMemory("/proc")).toBe(false);
  if (existsSync("/dev/shm")) expect(isInMemory("/dev/shm")).toBe(true);
});
