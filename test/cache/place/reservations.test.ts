import { spawn } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Reservations } from "../../../src/cache/place/reservations.js";
import { isAnythingAbandoned } from "../../../src/cache/removal/abandoned.js";
import { sweep } from "../../../src/cache/removal/sweep.js";
import { formatIdentity, type ProcessIdentity } from "../../../src/host/process-identity.js";
import { emptyCache, type TestCache } from "../../support/cache.js";
import { deadIdentities, identityOf } from "../../support/identities.js";

const gibibyte = 1024 ** 3;

function names({ directory }: TestCache): readonly string[] {
  return readdirSync(`${directory}/v1/tmp`);
}

/** Gives all that is reserved to another process. */
function giveTo(cache: TestCache, identity: ProcessIdentity): void {
  for (const name of names(cache)) {
    const room = name.slice(name.lastIndexOf(","));
    writeFileSync(`${cache.directory}/v1/tmp/${formatIdentity(identity)}${room}`, "");
  }
}

function livingProcess(): ProcessIdentity {
  const child = spawn("sleep", ["30"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return identityOf(child.pid ?? 0);
}

describe("Reservations", () => {
  test("are seen by others, for as long as they are held", () => {
    const cache = emptyCache();
    const [mine, other] = [new Reservations(cache.layout), new Reservations(cache.layout)];
    mine.set([["a", { bytes: 5 * gibibyte, inodes: 7 }]]);
    mine.set([["b", { bytes: 10.5, inodes: 0 }]]);
    const rooms = () => other.ofOthers().map(({ room }) => room);
    expect(rooms()).toHaveLength(2);
    expect(rooms()).toEqual(
      expect.arrayContaining([
        { bytes: 5 * gibibyte, inodes: 7 },
        { bytes: 11, inodes: 0 },
      ]),
    );
    expect(mine.ofOthers()).toEqual([]);
    mine.set([["a", { bytes: gibibyte, inodes: 2 }]]);
    mine.drop("b");
    mine.drop("never");
    expect(rooms()).toEqual([{ bytes: gibibyte, inodes: 2 }]);
    mine.dropAll();
    expect(names(cache)).toEqual([]);
  });

  test("of living processes count, and are left alone", () => {
    const cache = emptyCache();
    const mine = new Reservations(cache.layout);
    mine.set([["a", { bytes: 1, inodes: 1 }]]);
    giveTo(cache, livingProcess());
    mine.dropAll();
    expect(isAnythingAbandoned(cache.layout)).toBe(false);
    sweep(cache.layout);
    expect(mine.ofOthers()).toHaveLength(1);
  });

  test.each(Object.entries(deadIdentities()))("of %s count no more, and go", (_, identity) => {
    const cache = emptyCache();
    const mine = new Reservations(cache.layout);
    mine.set([["a", { bytes: 1, inodes: 1 }]]);
    giveTo(cache, identity);
    mine.dropAll();
    expect(names(cache)).toHaveLength(1);
    expect(mine.ofOthers()).toEqual([]);
    expect(isAnythingAbandoned(cache.layout)).toBe(true);
    sweep(cache.layout);
    expect(names(cache)).toEqual([]);
  });

  test("whoever came before has to be left alone, but for the same thing", () => {
    const cache = emptyCache();
    vi.useFakeTimers({ now: 1000, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const early = new Reservations(cache.layout);
    vi.setSystemTime(2000);
    const late = new Reservations(cache.layout);
    const [a, b, c] = [10, 20, 30].map((bytes) => ({ bytes, inodes: 0 }));
    if (!a || !b || !c) return;
    early.set([["a", a]]);
    early.set([["both", b]]);
    late.set([["both", c]]);
    expect(late.before(late.ofOthers())).toEqual([a]);
    expect(early.before(early.ofOthers())).toEqual([]);
    // Whoever is ahead needs less, and the room is needed once.
    expect(late.unlessAhead("both", { room: c, others: late.ofOthers() })).toEqual(b);
    expect(early.unlessAhead("both", { room: b, others: early.ofOthers() })).toEqual(b);
    vi.setSystemTime(3000);
    const third = new Reservations(cache.layout);
    const rooms = third.before(third.ofOthers());
    expect(rooms).toHaveLength(2);
    expect(rooms).toEqual(expect.arrayContaining([b, a]));
  });

  test("heed those that have looked before, even where the clock has gone back", () => {
    const cache = emptyCache();
    vi.useFakeTimers({ now: 5000, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const [early, late] = [new Reservations(cache.layout), new Reservations(cache.layout)];
    early.set([["a", { bytes: 1, inodes: 0 }]]);
    vi.setSystemTime(1000);
    late.set([["b", { bytes: 2, inodes: 0 }]]);
    expect(early.before(early.ofOthers())).toEqual([]);
    expect(late.before(late.ofOthers())).toEqual([{ bytes: 1, inodes: 0 }]);
  });

  test.each([
    ["earlier", 1],
    ["later", 5000],
  ])("of two, not both go ahead where one is slow and the other seems %s", (_, otherTime) => {
    const cache = emptyCache();
    const [slow, quick] = [new Reservations(cache.layout), new Reservations(cache.layout)];
    const room = { bytes: 1, inodes: 0 };
    const firstLook: unknown[] = [];
    const clock = vi.spyOn(Date, "now");
    onTestFinished(() => clock.mockRestore());
    clock.mockImplementationOnce(() => {
      // The other one comes while this one is kept from going on.
      clock.mockReturnValue(otherTime);
      quick.set([["other", room]]);
      firstLook.push(...quick.before(quick.ofOthers()));
      return 1000;
    });
    const wanted = ["small", "large"].map((what) => [what, room] as const);
    slow.set(wanted);
    clock.mockRestore();
    expect(firstLook).toHaveLength(2);
    const counts = [slow, quick].map((one) => one.before(one.ofOthers()).length);
    expect(counts).toEqual(otherTime < 1000 ? [1, 0] : [0, 2]);
  });

  test("of two that begin at once, one has to make way", () => {
    const cache = emptyCache();
    vi.useFakeTimers({ now: 1000, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const pair = [new Reservations(cache.layout), new Reservations(cache.layout)];
    for (const [i, one] of pair.entries()) one.set([[`${i}`, { bytes: 1, inodes: 0 }]]);
    const counts = pair.map((one) => one.before(one.ofOthers()).length);
    expect(counts.sort()).toEqual([0, 1]);
  });

  test("what is no reservation is none", () => {
    const cache = emptyCache();
    for (const name of ["room", "x,room-1-2", "x,room-0123456789abcdef-1-zz-1", "work,abc-1"]) {
      writeFileSync(`${cache.directory}/v1/tmp/${name}`, "");
    }
    expect(new Reservations(cache.layout).ofOthers()).toEqual([]);
  });

  test("in a cache that is being deleted, nothing is reserved", () => {
    const cache = emptyCache();
    const mine = new Reservations(cache.layout);
    mine.set([["a", { bytes: 1, inodes: 1 }]]);
    for (const name of names(cache)) rmSync(`${cache.directory}/v1/tmp/${name}`);
    mine.set([["a", { bytes: 2, inodes: 1 }]]);
    mine.dropAll();
    expect(names(cache)).toEqual([]);
  });
});
