import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { countLeftovers, removeLeftovers } from "../../../src/stage/gc/gc-leftovers.js";
import { emptyCache } from "../../support/cache.js";
import { deadIdentities, ownedName } from "../../support/identities.js";

const immovable = vi.hoisted(() => new Set<string>());

vi.mock("../../../src/host/remove-tree.js", async (importOriginal) => {
  const original = await importOriginal<typeof import("../../../src/host/remove-tree.js")>();
  const removeTree: typeof original.removeTree = (root, path) => {
    if (immovable.has(root)) throw Object.assign(new Error("EPERM"), { code: "EPERM" });
    original.removeTree(root, path);
  };
  return { ...original, removeTree };
});

test("of what dead processes have left, only what is gone counts as removed", () => {
  const { layout } = emptyCache();
  const [stays = "", goes = ""] = Object.values(deadIdentities()).map((identity) => {
    return join(layout.tmp, ownedName(identity));
  });
  for (const path of [stays, goes]) mkdirSync(path);
  immovable.add(stays);
  expect(countLeftovers(layout)).toBe(2);
  expect(removeLeftovers(layout)).toBe(1);
  expect(existsSync(goes)).toBe(false);
  expect(removeLeftovers(layout)).toBe(0);
  expect(countLeftovers(layout)).toBe(1);
});
