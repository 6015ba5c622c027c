import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Entrant, race } from "../../../bench/measure/race.mjs";
import { scratchDirectory } from "../../support/scratch-directory.js";

interface Shell {
  readonly id: string;
  readonly script: string;
}

function entrant({ id, script }: Shell, more: Partial<Entrant> = {}): Entrant {
  const command = (directory: string): { argv: [string, ...string[]] } => ({
    argv: ["sh", "-c", script, directory],
  });
  return { id, label: `the ${id}`, against: null, own: false, node: null, command, ...more };
}

const options = {
  isOver: () => false,
  signal: new AbortController().signal,
  progress: () => undefined,
};

test("everybody runs once per round, each round in another order", async () => {
  const directory = scratchDirectory();
  const log = join(directory, "log");
  const entrants = ["a", "b", "c"].map((id) => entrant({ id, script: `echo ${id} >> ${log}` }));
  const { rows, rounds } = await race(entrants, { ...options, rounds: 3, directory });
  expect(readFileSync(log, "utf8").replaceAll("\n", "")).toBe("abcbcacab");
  expect(rounds).toBe(3);
  expect(rows.map(({ id, samples }) => [id, samples.length])).toEqual([
    ["a", 3],
    ["b", 3],
    ["c", 3],
  ]);
});

test("each run gets an empty directory, prepared and tidied around what is measured", async () => {
  const directory = scratchDirectory();
  const seen: string[] = [];
  const note = (when: string) => (run: string) => {
    seen.push(`${when}: ${readdirSync(run).sort().join(" ")}`);
  };
  const writer = entrant(
    { id: "writer", script: 'mkdir "$0/made"' },
    { prepare: note("before"), tidy: note("after") },
  );
  await race([writer], { ...options, rounds: 2, directory });
  expect(seen).toEqual(["before: ", "after: made", "before: ", "after: made"]);
  expect(readdirSync(directory)).toEqual([]);
});

test("who fails is left out from then on, with the last line of what it said", async () => {
  const directory = scratchDirectory();
  const log = join(directory, "log");
  const script = `echo run >> ${log}; echo first >&2; echo 'no such thing' >&2; exit 3`;
  const { rows, absent } = await race(
    [entrant({ id: "good", script: "true" }), entrant({ id: "bad", script })],
    { ...options, rounds: 3, directory },
  );
  expect(rows.map(({ id }) => id)).toEqual(["good"]);
  expect(absent).toEqual([{ label: "the bad", reason: "failed: no such thing" }]);
  expect(readFileSync(log, "utf8")).toBe("run\n");
});

test("a program that is not there is a failure too", async () => {
  const directory = scratchDirectory();
  const ghost = entrant(
    { id: "ghost", script: "" },
    { command: () => ({ argv: [join(directory, "no-such-program")] }) },
  );
  const { rows, absent } = await race([ghost], { ...options, rounds: 1, directory });
  expect(rows).toEqual([]);
  expect(absent).toEqual([{ label: "the ghost", reason: expect.stringContaining("failed: ") }]);
});

test("when the time is up, the round under way is the last", async () => {
  const directory = scratchDirectory();
  const entrants = [entrant({ id: "a", script: "true" }), entrant({ id: "b", script: "true" })];
  const raced = await race(entrants, { ...options, rounds: 9, directory, isOver: () => true });
  expect(raced.rounds).toBe(1);
  expect(raced.rows.map(({ samples }) => samples.length)).toEqual([1, 1]);
});

test("an interruption ends it after the run under way, with nothing left behind", async () => {
  const directory = scratchDirectory();
  const controller = new AbortController();
  const stopping = entrant(
    { id: "stopping", script: "true" },
    { prepare: () => controller.abort(new Error("enough")) },
  );
  const never = entrant({ id: "never", script: `touch ${join(directory, "ran")}` });
  const raced = race([stopping, never], {
    ...options,
    rounds: 1,
    directory,
    signal: controller.signal,
  });
  await expect(raced).rejects.toThrow("enough");
  expect(existsSync(join(directory, "ran"))).toBe(false);
  expect(existsSync(join(directory, "run"))).toBe(false);
});
