import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { lock } from "proper-lockfile";
import { describe, expect, test } from "vitest";
import { isDeadLock, lockOwner } from "../../../src/cache/locks/lock-directory.js";
import { lockFileSystem } from "../../../src/cache/locks/lock-file-system.js";
import { LockWatch } from "../../../src/cache/locks/lock-watch.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import {
  deadIdentities,
  foreignIdentities,
  identityOf,
  ownedName,
} from "../../support/identities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

function lockPath(): string {
  return `${scratchDirectory()}/lock`;
}

/** A lock as its owner would have left it. */
function heldBy(owner: Parameters<typeof ownedName>[0], age = 0): string {
  const path = lockPath();
  mkdirSync(path);
  writeFileSync(`${path}/${ownedName(owner)}`, "");
  const time = Date.now() / 1000 - age;
  utimesSync(path, time, time);
  return path;
}

/** Takes a lock as the cache does. */
async function take(path: string): Promise<() => Promise<void>> {
  return await lock(path, {
    lockfilePath: path,
    realpath: false,
    stale: 10_000,
    fs: lockFileSystem(new LockWatch()),
    onCompromised: (error) => {
      throw error;
    },
  });
}

const hour = 3600;

describe("a lock", () => {
  test("has one holder, who is named in it", async () => {
    const path = lockPath();
    const release = await take(path);
    expect(lockOwner(path)).toEqual(ownIdentity());
    await expect(take(path)).rejects.toMatchObject({ code: "ELOCKED" });
    await release();
    expect(lockOwner(path)).toBeUndefined();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("can be taken again after its release", async () => {
    const path = lockPath();
    for (let i = 0; i < 5; i++) await (await take(path))();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("is taken by one of many who want it at once, who leave nothing", async () => {
    const path = lockPath();
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => take(path)));
    const releases = attempts.flatMap((a) => (a.status === "fulfilled" ? [a.value] : []));
    expect(releases).toHaveLength(1);
    expect(readdirSync(dirname(path))).toEqual(["lock"]);
    await releases[0]?.();
  });

  test.each(Object.entries(deadIdentities()))("of %s is broken at once", async (_, owner) => {
    const path = heldBy(owner);
    const release = await take(path);
    expect(lockOwner(path)).toEqual(ownIdentity());
    await release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("of a process that runs is never robbed, however old it is", async () => {
    const path = heldBy(identityOf(process.ppid), 1000 * hour);
    await expect(take(path)).rejects.toMatchObject({ code: "ELOCKED" });
    expect(lockOwner(path)).toEqual(identityOf(process.ppid));
  });

  test.each(Object.entries(foreignIdentities))(
    "of %s is kept while it is young",
    async (_, owner) => {
      const path = heldBy(owner, 5);
      await expect(take(path)).rejects.toMatchObject({ code: "ELOCKED" });
      expect(lockOwner(path)).toEqual(owner);
    },
  );

  test.each(Object.entries(foreignIdentities))(
    "of %s is broken when it is old",
    async (_, owner) => {
      const path = heldBy(owner, hour);
      await (await take(path))();
      expect(readdirSync(dirname(path))).toEqual([]);
    },
  );

  test("left empty is taken", async () => {
    const path = lockPath();
    mkdirSync(path);
    await (await take(path))();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test.each(["garbage", "host,not-a-boot-id,1,2,3,4", ",,,,,"])(
    "of an owner that can't be read (%j) is broken",
    async (name) => {
      const path = lockPath();
      mkdirSync(path);
      writeFileSync(`${path}/${name}`, "");
      await (await take(path))();
      expect(readdirSync(dirname(path))).toEqual([]);
    },
  );

  test("is taken where deep directories are in its place", async () => {
    const path = lockPath();
    mkdirSync(`${path}/deep/${"d/".repeat(100)}`, { recursive: true });
    await (await take(path))();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("is taken where a file is in its place", async () => {
    const path = lockPath();
    writeFileSync(path, "");
    await (await take(path))();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("can't be taken where there is no directory for it, and leaves nothing", async () => {
    const parent = scratchDirectory();
    await expect(take(`${parent}/missing/lock`)).rejects.toMatchObject({ code: "ENOENT" });
    expect(readdirSync(parent)).toEqual([]);
  });
});

describe("who comes late to break a dead owner's lock", () => {
  test("does not remove the lock of whoever was first", async () => {
    const [dead] = Object.values(deadIdentities());
    if (!dead) throw new Error("there are dead identities");
    const path = heldBy(dead);
    const late = lockFileSystem(new LockWatch());
    const look = promisify(late.stat.bind(late));
    const remove = promisify(late.rmdir.bind(late));
    expect((await look(path))?.mtime).toEqual(new Date(0));
    const release = await take(path);
    await remove(path);
    expect(lockOwner(path)).toEqual(ownIdentity());
    await expect(take(path)).rejects.toMatchObject({ code: "ELOCKED" });
    await release();
  });

  test("does not remove the empty directory's successor either", async () => {
    const path = lockPath();
    mkdirSync(path);
    const late = lockFileSystem(new LockWatch());
    await promisify(late.stat.bind(late))(path);
    const release = await take(path);
    await promisify(late.rmdir.bind(late))(path);
    expect(lockOwner(path)).toEqual(ownIdentity());
    await release();
  });
});

describe("isDeadLock", () => {
  test.each(Object.entries(deadIdentities()))("is so of a lock of %s", (_, owner) => {
    expect(isDeadLock(heldBy(owner))).toBe(true);
  });

  test.each(Object.entries(foreignIdentities))("is not so of a lock of %s", (_, owner) => {
    expect(isDeadLock(heldBy(owner))).toBe(false);
  });

  test("is not so of a lock that is held, or that nobody holds", () => {
    expect(isDeadLock(heldBy(ownIdentity()))).toBe(false);
    expect(isDeadLock(lockPath())).toBe(false);
  });
});
