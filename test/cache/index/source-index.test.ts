import {
  appendFileSync,
  chmodSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { rememberFile } from "../../../src/cache/index/remember-file.js";
import { fileIdentity, lookUpFile } from "../../../src/cache/index/source-index.js";
import { emptyCache } from "../../support/cache.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const isKnown = (value: unknown): value is string => typeof value === "string";

function archive(): string {
  const path = `${scratchDirectory()}/image.tar`;
  writeFileSync(path, "content");
  return path;
}

function identityOf(path: string) {
  return fileIdentity(statSync(path, { bigint: true }));
}

describe("the index of archives", () => {
  test("knows what it was told, and nothing else", () => {
    const { layout } = emptyCache();
    const identity = identityOf(archive());
    expect(lookUpFile(layout, { identity, selection: "a", isKnown })).toBeUndefined();
    rememberFile(layout, { identity, selection: "a", known: "image A" });
    expect(lookUpFile(layout, { identity, selection: "a", isKnown })).toBe("image A");
    expect(lookUpFile(layout, { identity, selection: "b", isKnown })).toBeUndefined();
  });

  test("keeps several images of one file", () => {
    const { layout } = emptyCache();
    const identity = identityOf(archive());
    for (const name of ["a", "b", "__proto__", "constructor"]) {
      rememberFile(layout, { identity, selection: name, known: `image ${name}` });
    }
    for (const name of ["a", "b", "__proto__", "constructor"]) {
      expect(lookUpFile(layout, { identity, selection: name, isKnown })).toBe(`image ${name}`);
    }
  });

  test.each<readonly [string, (path: string) => void]>([
    ["another size", (path) => appendFileSync(path, "more")],
    ["another time", (path) => utimesSync(path, 1, 1)],
    [
      "other content of the same size and time",
      (path) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(path, "CONTENT");
        utimesSync(path, atime, mtime);
      },
    ],
    ["another mode", (path) => chmodSync(path, 0o600)],
    [
      "another file in its place",
      (path) => {
        writeFileSync(`${path}.new`, "content");
        renameSync(`${path}.new`, path);
      },
    ],
  ])("no longer knows a file with %s", async (_, change) => {
    const { layout } = emptyCache();
    const path = archive();
    rememberFile(layout, { identity: identityOf(path), selection: "a", known: "image A" });
    // The kernel's clock for file times ticks every few milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 20));
    change(path);
    const query = { identity: identityOf(path), selection: "a", isKnown };
    expect(lookUpFile(layout, query)).toBeUndefined();
  });

  test("forgets what it knew of a file's earlier content when it learns of the new one", () => {
    const { layout } = emptyCache();
    const path = archive();
    const before = identityOf(path);
    rememberFile(layout, { identity: before, selection: "old", known: "old image" });
    appendFileSync(path, "more");
    rememberFile(layout, { identity: identityOf(path), selection: "new", known: "new image" });
    const query = { identity: identityOf(path), selection: "old", isKnown };
    expect(lookUpFile(layout, query)).toBeUndefined();
    expect(lookUpFile(layout, { ...query, identity: before })).toBeUndefined();
  });

  test("takes nothing that is not of the right form", () => {
    const { layout } = emptyCache();
    const identity = identityOf(archive());
    rememberFile(layout, { identity, selection: "a", known: { not: "text" } });
    expect(lookUpFile(layout, { identity, selection: "a", isKnown })).toBeUndefined();
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '"text"',
    '{"schemaVersion":2,"state":"STATE","images":{"a":"image A"}}',
    '{"schemaVersion":1,"state":"STATE","images":["image A"]}',
    '{"schemaVersion":1,"state":"STATE"}',
    '{"schemaVersion":1,"images":{"a":"image A"}}',
  ])("takes nothing from a record that reads %j, and writes it anew", (text) => {
    const { layout } = emptyCache();
    const identity = identityOf(archive());
    writeFileSync(layout.indexRecord(identity.name), text.replace("STATE", identity.state));
    expect(lookUpFile(layout, { identity, selection: "a", isKnown })).toBeUndefined();
    rememberFile(layout, { identity, selection: "a", known: "image A" });
    expect(lookUpFile(layout, { identity, selection: "a", isKnown })).toBe("image A");
  });
});
