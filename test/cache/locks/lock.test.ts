import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type LockOptions, lockOrAdopt } from "../../../src/cache/locks/lock.js";
import { lockOwner } from "../../../src/cache/locks/lock-directory.js";
import { now } from "../../../src/host/clock.js";
import { ownIdentity, type ProcessIdentity } from "../../../src/host/process-identity.js";
import { deadIdentities, identityOf, ownedName } from "../../support/identities.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

function lockPath(): string {
  return `${scratchDirectory()}/lock`;
}

function hold(path: string, owner: ProcessIdentity): void {
  mkdirSync(path);
  writeFileSync(`${path}/${ownedName(owner)}`, "");
}

const parent = identityOf(process.ppid);

async function attempt(path: string, options: Partial<LockOptions<string>> = {}) {
  return await lockOrAdopt(path, { what: "the thing", adopt: () => undefined, ...options });
}

describe("lockOrAdopt", () => {
  test("takes a free lock at once, and gives it back", async () => {
    const path = lockPath();
    const outcome = await attempt(path, { onWait: () => expect.unreachable() });
    if (outcome.kind !== "locked") throw new Error("the lock was free");
    expect(outcome.waitedMs).toBe(0);
    expect(lockOwner(path)).toEqual(ownIdentity());
    await outcome.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("adopts what is there without a look at the lock", async () => {
    const path = lockPath();
    hold(path, parent);
    const outcome = await attempt(path, { adopt: () => "made", wait: 0 });
    expect(outcome).toEqual({ kind: "adopted", value: "made", waitedMs: 0 });
  });

  test("adopts a value that is no truth", async () => {
    expect(await attempt(lockPath(), { adopt: () => "" })).toMatchObject({ kind: "adopted" });
  });

  test("waits for a holder who lives, says so once, and adopts what that one made", async () => {
    const path = lockPath();
    hold(path, parent);
    const waits: unknown[] = [];
    let looks = 0;
    const outcome = await attempt(path, {
      adopt: () => (++looks < 5 ? undefined : "made by another"),
      onWait: (owner) => waits.push(owner),
    });
    expect(outcome).toMatchObject({ kind: "adopted", value: "made by another" });
    expect(outcome.waitedMs).toBeGreaterThan(0);
    expect(waits).toEqual([parent]);
  });

  test("says each second for how long it waits", async () => {
    const path = lockPath();
    hold(path, parent);
    const waits: number[] = [];
    const onWait = (_: unknown, waitedMs: number) => waits.push(waitedMs);
    await rejection(attempt(path, { wait: 1.5, onWait }));
    expect(waits).toEqual([expect.closeTo(0, -2), expect.closeTo(1000, -3)]);
  });

  test("takes the lock when its holder gives it up", async () => {
    const path = lockPath();
    const first = await attempt(path);
    if (first.kind !== "locked") throw new Error("the lock was free");
    const second = attempt(path);
    await sleep(60);
    await first.release();
    const outcome = await second;
    expect(outcome.kind).toBe("locked");
    expect(outcome.waitedMs).toBeGreaterThan(30);
    if (outcome.kind === "locked") await outcome.release();
  });

  test("takes a dead holder's lock without a wait", async () => {
    for (const owner of Object.values(deadIdentities())) {
      const path = lockPath();
      hold(path, owner);
      const outcome = await attempt(path, { wait: 0, onWait: () => expect.unreachable() });
      expect(outcome.kind).toBe("locked");
      if (outcome.kind === "locked") await outcome.release();
    }
  });

  test.each([0, 0.3])("gives up after %d s, and says who holds the lock", async (wait) => {
    const path = lockPath();
    hold(path, parent);
    const start = performance.now();
    const error = await rejection(attempt(path, { wait }));
    expect(error.code).toBe("BUSY");
    expect(error.exitStatus).toBe(75);
    expect(error.message).toContain(`the thing is still being staged by process ${process.ppid}`);
    expect(error.message).toContain(`after ${wait} s`);
    expect(performance.now() - start).toBeGreaterThanOrEqual(wait * 1000);
    expect(performance.now() - start).toBeLessThan(wait * 1000 + 2000);
    expect(lockOwner(path)).toEqual(parent);
  });

  test.each([
    [{ job: null, finished: 0, total: 0 }, "(begun 7 s ago)"],
    [{ job: "12", finished: 2, total: 5 }, "(job 12, 2 of 5 layers in 7 s)"],
  ])("says how far the holder is, who has said %j", async (told, text) => {
    const path = lockPath();
    hold(path, parent);
    const statusOf = () => ({ ...told, startedAt: now() - 7000 });
    const { message } = await rejection(attempt(path, { wait: 0, statusOf }));
    expect(message).toContain(`by process ${process.ppid} on ${parent.host} ${text} after 0 s`);
  });

  test("ends a wait when it is aborted, with the reason given", async () => {
    const path = lockPath();
    hold(path, parent);
    const controller = new AbortController();
    const reason = new Error("stop");
    const waiting = attempt(path, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(waiting).rejects.toBe(reason);
    expect(readdirSync(dirname(path))).toEqual(["lock"]);
  });

  test("takes nothing when it is aborted already", async () => {
    const path = lockPath();
    const signal = AbortSignal.abort(new Error("stopped before"));
    await expect(attempt(path, { signal })).rejects.toThrow("stopped before");
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("fails by name where the lock can't be made", async () => {
    const path = `${scratchDirectory()}/missing/lock`;
    const error = await rejection(attempt(path));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain(path);
  });

  test("lets go of a lock that somebody has deleted meanwhile", async () => {
    const path = lockPath();
    const outcome = await attempt(path);
    if (outcome.kind !== "locked") throw new Error("the lock was free");
    rmSync(path, { recursive: true });
    await outcome.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});
