import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { CacheLayout } from "../../../src/cache/layout.js";
import { sweep } from "../../../src/cache/removal/sweep.js";
import { ownIdentity, type ProcessIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, locksIn, type TestCache } from "../../support/cache.js";
import {
  deadIdentities,
  foreignIdentities,
  identityOf,
  ownedName,
} from "../../support/identities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

/** Something under way, `age` seconds old. */
function under(cache: TestCache, name: string, age = 0): string {
  const path = `${cache.layout.tmp}/${name}`;
  mkdirSync(`${path}/tree/d`, { recursive: true });
  writeFileSync(`${path}/tree/d/f`, "");
  const time = Date.now() / 1000 - age;
  utimesSync(path, time, time);
  return name;
}

const of = (identity: ProcessIdentity) => ownedName(identity);
const day = 24 * 3600;

/** A lock's directory with the given owner, `age` seconds old. */
function lockOf(
  cache: TestCache,
  lock: { name: string; owner: string | undefined; age?: number },
): string {
  const { name, owner, age = 0 } = lock;
  const path = cache.layout.lock(name);
  mkdirSync(path, { recursive: true });
  if (owner !== undefined) writeFileSync(`${path}/${owner}`, "");
  const time = Date.now() / 1000 - age;
  utimesSync(path, time, time);
  return path;
}

describe("the sweep", () => {
  test.each(Object.entries(deadIdentities()))("removes what %s has left", (_, owner) => {
    const cache = emptyCache();
    under(cache, of(owner));
    sweep(cache.layout);
    expect(readdirSync(cache.layout.tmp)).toEqual([]);
  });

  test("leaves what can't be removed, and removes the rest", (context) => {
    const cache = emptyCache();
    const [first, second] = Object.values(deadIdentities());
    if (!first || !second) throw new Error("there are dead identities");
    const names = [first, second].map((owner) => under(cache, of(owner)));
    const [stays = ""] = readdirSync(cache.layout.tmp);
    const fixed = `${cache.layout.tmp}/${stays}/tree/d/f`;
    try {
      execFileSync("chattr", ["+i", fixed], { stdio: "ignore" });
    } catch {
      context.skip("no file can be made immutable here");
    }
    onTestFinished(() => void execFileSync("chattr", ["-i", fixed]));
    sweep(cache.layout);
    expect(names).toContain(stays);
    expect(readdirSync(cache.layout.tmp)).toEqual([stays]);
  });

  test("removes directories that lack permissions", () => {
    const cache = emptyCache();
    const [dead] = Object.values(deadIdentities());
    if (!dead) throw new Error("there are dead identities");
    const name = under(cache, of(dead));
    chmodSync(`${cache.layout.tmp}/${name}/tree/d`, 0o000);
    chmodSync(`${cache.layout.tmp}/${name}/tree`, 0o555);
    sweep(cache.layout);
    expect(readdirSync(cache.layout.tmp)).toEqual([]);
  });

  test("keeps what processes that live work on, however old", () => {
    const cache = emptyCache();
    const kept = [
      under(cache, of(ownIdentity()), 100 * day),
      under(cache, of(identityOf(process.ppid)), 100 * day),
    ];
    sweep(cache.layout);
    expect(readdirSync(cache.layout.tmp).sort()).toEqual(kept.sort());
  });

  test.each(Object.entries(foreignIdentities))("keeps what %s works on, for a day", (_, owner) => {
    const cache = emptyCache();
    const kept = under(cache, of(owner), day - 60);
    under(cache, `${of(owner)}old`, day + 60);
    sweep(cache.layout);
    expect(readdirSync(cache.layout.tmp)).toEqual([kept]);
  });

  test.each(["garbage", ",", "%zz,00000000-0000-4000-8000-000000000000,1,2,3,x", "-rf"])(
    "keeps what says nothing of its owner for a day: %j",
    (name) => {
      const cache = emptyCache();
      const kept = under(cache, name);
      under(cache, `${name}-old`, 2 * day);
      sweep(cache.layout);
      expect(readdirSync(cache.layout.tmp)).toEqual([kept]);
    },
  );

  test.each(Object.entries(deadIdentities()))("removes the lock that %s held", (_, owner) => {
    const cache = emptyCache();
    lockOf(cache, { name: "rootfs-x", owner: of(owner) });
    lockOf(cache, { name: of(owner), owner: of(owner) });
    lockOf(cache, { name: `${of(owner)}-unnamed`, owner: undefined });
    sweep(cache.layout);
    expect(locksIn(cache.layout.locks)).toEqual([]);
  });

  test("keeps locks of processes that live or can't be looked for", () => {
    const cache = emptyCache();
    const owners = [ownIdentity(), identityOf(process.ppid), ...Object.values(foreignIdentities)];
    const paths = owners.map((owner, i) => {
      return lockOf(cache, { name: `lock-${i}`, owner: of(owner), age: 100 * day });
    });
    sweep(cache.layout);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  test("removes a lock that its owner has left", () => {
    const cache = emptyCache();
    const left = lockOf(cache, { name: "rootfs-x", owner: undefined });
    sweep(cache.layout);
    expect(existsSync(left)).toBe(false);
  });

  test("keeps a lock that a living process is about to make", () => {
    const cache = emptyCache();
    const made = lockOf(cache, { name: of(ownIdentity()), owner: undefined, age: 100 * day });
    sweep(cache.layout);
    expect(existsSync(made)).toBe(true);
  });

  test.each(Object.entries(foreignIdentities))(
    "keeps a lock that %s is about to make, for a day",
    (_, owner) => {
      const cache = emptyCache();
      const kept = lockOf(cache, { name: of(owner), owner: undefined, age: day - 60 });
      const old = lockOf(cache, { name: `${of(owner)}-old`, owner: undefined, age: day + 60 });
      sweep(cache.layout);
      expect([existsSync(kept), existsSync(old)]).toEqual([true, false]);
    },
  );

  test("leaves alone what is no lock", () => {
    const cache = emptyCache();
    const { locks } = cache.layout;
    writeFileSync(`${locks}/file`, "");
    writeFileSync(`${locks}/${"x".repeat(255)}`, "");
    mkdirSync(`${locks}/deep/${"d/".repeat(100)}`, { recursive: true });
    symlinkSync("/", `${locks}/link`);
    const before = readdirSync(locks);
    sweep(cache.layout);
    expect(readdirSync(locks)).toEqual(before);
  });

  test("does nothing where there is no cache", () => {
    const missing = `${scratchDirectory()}/missing`;
    sweep(new CacheLayout(missing));
    expect(existsSync(missing)).toBe(false);
  });

  test("removes old blobs whatever they are, and nothing that they link to", () => {
    const cache = emptyCache();
    const elsewhere = scratchDirectory();
    writeFileSync(`${elsewhere}/f`, "");
    mkdirSync(`${cache.layout.blob("directory")}/d`, { recursive: true });
    symlinkSync(elsewhere, cache.layout.blob("link"));
    for (const name of ["directory", "link"]) {
      const time = Date.now() / 1000 - 8 * day;
      lutimesSync(cache.layout.blob(name), time, time);
    }
    sweep(cache.layout);
    expect(readdirSync(cache.layout.blobs)).toEqual([]);
    expect(readdirSync(elsewhere)).toEqual(["f"]);
  });

  test("removes what came of a blob a week ago, unless somebody fetches the rest", () => {
    const cache = emptyCache();
    mkdirSync(cache.layout.blobs, { recursive: true });
    const ages = { "sha256-old": 8 * day, "sha256-young": 6 * day, "sha256-wanted": 8 * day };
    for (const [name, age] of Object.entries(ages)) {
      const path = cache.layout.blob(name);
      writeFileSync(path, "part");
      utimesSync(path, Date.now() / 1000 - age, Date.now() / 1000 - age);
    }
    lockOf(cache, { name: "blob-sha256-wanted", owner: of(ownIdentity()) });
    sweep(cache.layout);
    expect(readdirSync(cache.layout.blobs).sort()).toEqual(["sha256-wanted", "sha256-young"]);
  });
});
