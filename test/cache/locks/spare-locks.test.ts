import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lockOwner, takeLock } from "../../../src/cache/locks/lock-directory.js";
import { ownedName } from "../../../src/cache/locks/owned-name.js";
import {
  giveBackSpareLock,
  keepSpareLocks,
  takeSpareLock,
} from "../../../src/cache/locks/spare-locks.js";
import { sweep } from "../../../src/cache/removal/sweep.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, locksIn } from "../../support/cache.js";
import { deadIdentities, ownedName as nameOf } from "../../support/identities.js";

/** The directory of locks of a new cache, and how many of them are spare. */
function spares() {
  const { layout } = emptyCache();
  const { locks } = layout;
  const count = () => readdirSync(locks).length - locksIn(locks).length;
  return { layout, locks, count, all: count() };
}

describe("a spare lock", () => {
  test("is a lock like any other when it is taken, and spare again afterwards", () => {
    const { layout, count, all } = spares();
    const path = layout.lock("gc");
    const own = ownedName();
    expect(takeSpareLock(path, own)).toBe(true);
    expect([lockOwner(path), count()]).toEqual([ownIdentity(), all - 1]);
    expect(() => takeLock(path, ownedName())).toThrow("the lock is held");
    giveBackSpareLock(path, own);
    expect([lockOwner(path), count()]).toEqual([undefined, all]);
    expect(takeSpareLock(path, ownedName())).toBe(true);
  });

  test("does not take the place of one that is held", () => {
    const { layout, locks, count, all } = spares();
    const path = layout.lock("gc");
    takeLock(path, ownedName());
    expect(() => takeSpareLock(path, ownedName())).toThrow("the lock is held");
    expect([locksIn(locks), count()]).toEqual([["gc"], all]);
  });

  test("is not given back by who has lost it", () => {
    const { layout, count, all } = spares();
    const path = layout.lock("gc");
    const lost = ownedName();
    takeSpareLock(path, ownedName());
    giveBackSpareLock(path, lost);
    expect([lockOwner(path), count()]).toEqual([ownIdentity(), all - 1]);
  });

  test("is not had when all are taken, nor from a cache without any", () => {
    const { layout, locks, count, all } = spares();
    for (let i = 0; i < all; i++)
      expect(takeSpareLock(layout.lock(`${i}`), ownedName())).toBe(true);
    expect(takeSpareLock(layout.lock("one-more"), ownedName())).toBe(false);
    expect(locksIn(locks)).toHaveLength(all);
    keepSpareLocks(locks);
    expect(count()).toBe(all);
    for (let i = 0; i < all; i++) giveBackSpareLock(layout.lock(`${i}`), "");
  });

  test("in excess is removed", () => {
    const { layout, locks, count, all } = spares();
    const own = ownedName();
    takeSpareLock(layout.lock("gc"), own);
    keepSpareLocks(locks);
    giveBackSpareLock(layout.lock("gc"), own);
    expect([locksIn(locks), count()]).toEqual([[], all]);
  });

  test.each(Object.entries(deadIdentities()))("that %s had taken is swept", (_, dead) => {
    const { layout, locks, count, all } = spares();
    const [taken = "", named = "", placed = ""] = readdirSync(locks);
    renameSync(`${locks}/${taken}`, `${locks}/${nameOf(dead)}`);
    renameSync(`${locks}/${named}/spare`, `${locks}/${named}/${nameOf(dead)}`);
    renameSync(`${locks}/${named}`, `${locks}/${nameOf(dead)}-2`);
    renameSync(`${locks}/${placed}/spare`, `${locks}/${placed}/${nameOf(dead)}`);
    renameSync(`${locks}/${placed}`, layout.lock("gc"));
    sweep(layout);
    expect([locksIn(locks), count()]).toEqual([[], all - 3]);
    keepSpareLocks(locks);
    expect(count()).toBe(all);
  });

  test("that has become empty is not used", () => {
    const { layout, locks, count, all } = spares();
    const [first = "", second = ""] = readdirSync(locks);
    renameSync(`${locks}/${first}/spare`, `${locks}/${second}/another`);
    writeFileSync(`${locks}/file`, "");
    mkdirSync(layout.lock("gc"));
    expect(takeSpareLock(layout.lock("gc"), ownedName())).toBe(true);
    expect(count()).toBe(all - 2);
  });
});
