import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { findPlace } from "../../../src/cache/locks/forerunner.js";
import { ownIdentity } from "../../../src/host/process-identity.js";
import { deadIdentities, foreignIdentities, ownedName } from "../../support/identities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

function lockPath(): string {
  return `${scratchDirectory()}/ahead`;
}

/** A place ahead, as the process that has it would have taken it. */
function takenBy(...owner: Parameters<typeof ownedName>): string {
  const path = lockPath();
  mkdirSync(path);
  writeFileSync(`${path}/${ownedName(...owner)}`, "");
  return path;
}

describe("findPlace", () => {
  test("lets the first go ahead, and the next one know who that is", () => {
    const path = lockPath();
    expect(findPlace(path, { goAhead: true })).toMatchObject({ kind: "ahead" });
    expect(findPlace(path, { goAhead: true })).toEqual({
      kind: "behind",
      forerunner: ownIdentity(),
    });
  });

  test("lets the next one go ahead when the first has stepped aside", () => {
    const path = lockPath();
    const first = findPlace(path, { goAhead: true });
    if (first?.kind === "ahead") first.stepAside();
    expect(existsSync(path)).toBe(false);
    const second = findPlace(path, { goAhead: true });
    expect(second?.kind).toBe("ahead");
    // Late, the first one takes nothing away from the second.
    if (first?.kind === "ahead") first.stepAside();
    expect(readdirSync(path)).toHaveLength(1);
  });

  test.for(Object.entries(deadIdentities()))("goes ahead of %s", ([, identity]) => {
    const path = takenBy(identity);
    expect(findPlace(path, { goAhead: true })).toMatchObject({ kind: "ahead" });
    expect(findPlace(path, { goAhead: true })).toEqual({
      kind: "behind",
      forerunner: ownIdentity(),
    });
  });

  test.for(Object.entries(foreignIdentities))("doesn't wait for %s", ([, identity]) => {
    expect(findPlace(takenBy(identity), { goAhead: true })).toEqual({ kind: "unknown" });
  });

  test("stays behind where it is to, and nobody goes ahead any more", () => {
    const path = lockPath();
    expect(findPlace(path, { goAhead: false })).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  test("goes ahead of a dead process also where it would rather stay behind", () => {
    const [dead] = Object.values(deadIdentities());
    if (!dead) throw new Error("somebody is dead");
    expect(findPlace(takenBy(dead), { goAhead: false })).toMatchObject({ kind: "ahead" });
  });

  test("goes ahead where a lock is being given up", () => {
    const path = lockPath();
    mkdirSync(path);
    expect(findPlace(path, { goAhead: true })).toMatchObject({ kind: "ahead" });
  });
});
