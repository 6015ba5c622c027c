import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { indexRecords, isObsolete } from "../../../src/cache/index/index-records.js";
import { answerRecordName, lookUpAnswer } from "../../../src/cache/index/node-answers.js";
import { rememberAnswer } from "../../../src/cache/index/remember-answer.js";
import { emptyCache } from "../../support/cache.js";

const question = { name: "runtime-0123", state: "so and so" };
const found = { answer: { works: true }, foundAt: 1_700_000_000_000 };

describe("an answer", () => {
  test("is known again for the same question in the same state", () => {
    const { layout } = emptyCache();
    expect(lookUpAnswer(layout, question)).toBeUndefined();
    rememberAnswer(layout, { ...question, ...found });
    expect(lookUpAnswer(layout, question)).toEqual(found);
    expect(lookUpAnswer(layout, { ...question, state: "other" })).toBeUndefined();
    expect(lookUpAnswer(layout, { ...question, name: "runtime-4567" })).toBeUndefined();
  });

  test("takes the place of no other question's, and of the one before", () => {
    const { layout } = emptyCache();
    const other = { name: "runtime-4567", state: "else" };
    rememberAnswer(layout, { ...question, ...found });
    rememberAnswer(layout, { ...other, ...found, answer: "other" });
    rememberAnswer(layout, { ...question, ...found, answer: "newer" });
    expect(lookUpAnswer(layout, question)?.answer).toBe("newer");
    expect(lookUpAnswer(layout, other)?.answer).toBe("other");
    expect(readdirSync(layout.index)).toHaveLength(2);
    expect(readdirSync(layout.tmp)).toEqual([]);
  });

  test.each([
    ["that is torn", (path: string) => writeFileSync(path, '{"schemaVersion":1,"sta')],
    ["of another version", (path: string) => writeFileSync(path, '{"schemaVersion":2}')],
    ["that others can write to", (path: string) => chmodSync(path, 0o666)],
  ])("is not read from a record %s", (_, damage) => {
    const { layout } = emptyCache();
    rememberAnswer(layout, { ...question, ...found });
    damage(layout.indexRecord(answerRecordName(question)));
    expect(lookUpAnswer(layout, question)).toBeUndefined();
  });

  test("is forgotten when nobody has asked for a month", () => {
    const { layout } = emptyCache();
    rememberAnswer(layout, { ...question, ...found });
    const [record] = [...indexRecords(layout)];
    if (!record) throw new Error("there is no record");
    expect(record.kind).toBe("node");
    const day = 24 * 60 * 60 * 1000;
    const imageIds = new Set<string>();
    expect(isObsolete(record, { imageIds, now: Date.now() + 29 * day })).toBe(false);
    expect(isObsolete(record, { imageIds, now: Date.now() + 31 * day })).toBe(true);
  });
});
