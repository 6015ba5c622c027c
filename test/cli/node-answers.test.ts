import { readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test, vi } from "vitest";
import { answersIn } from "../../src/cli/node-answers.js";
import { emptyCache } from "../support/cache.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const question = { name: "runtime-0123", state: "so and so" };
const found = { answer: { works: true }, foundAt: 1_700_000_000_000 };

test("answers are kept in the cache", async () => {
  const { directory } = emptyCache();
  const answers = answersIn(directory);
  expect(answers.find(question)).toBeUndefined();
  await answers.keep(question, found);
  expect(answersIn(directory).find(question)).toEqual(found);
});

test("nothing is kept, and nothing said, where the cache can't be written to", async () => {
  const answers = answersIn("/nowhere");
  await answers.keep(question, found);
  expect(answers.find(question)).toBeUndefined();
});

test("what is tried is tried in the cache, under a name that every runtime takes", async () => {
  const { directory, layout } = emptyCache();
  const made = await answersIn(directory).makeDirectory?.();
  expect(dirname(made ?? "")).toBe(layout.tmp);
  expect(made?.slice(layout.tmp.length)).toMatch(/^\/[\w-]+$/);
  expect(readdirSync(made ?? "")).toEqual([]);
});

test("what is tried with a cache that can't be written to is tried elsewhere", async () => {
  const temporary = scratchDirectory();
  vi.stubEnv("TMPDIR", temporary);
  const made = (await answersIn("/nowhere").makeDirectory?.()) ?? "";
  vi.unstubAllEnvs();
  expect(dirname(made)).toBe(temporary);
  rmSync(made, { recursive: true });
});
