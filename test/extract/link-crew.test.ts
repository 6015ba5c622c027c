import { linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { createCrewEnds, type LinkBatch, LinkCrew } from "../../src/extract/link-crew.js";
import type { Outcome } from "../../src/extract/outcome.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { useThreads } from "../support/threads.js";

const { helper } = useThreads(["helper"]);

/** A directory with many files, and another to link them into. */
function place({ files }: { files: number }): { batch: LinkBatch; made: () => string[] } {
  const root = scratchDirectory();
  for (const name of ["from", "to"]) mkdirSync(`${root}/${name}`);
  const names = Array.from({ length: files }, (_, i) => `f${i}`).sort();
  writeFileSync(`${root}/from/${names[0]}`, "");
  for (const name of names.slice(1)) linkSync(`${root}/from/${names[0]}`, `${root}/from/${name}`);
  const [from, to] = ["from", "to"];
  const batch = { fromRoot: root, from, toRoot: root, to, names, mayHaveAttributes: false };
  return { batch, made: () => readdirSync(`${root}/to`).sort() };
}

/** A crew with a helper that is there, and the end of the helper's work. */
async function crewWithHelper(): Promise<{ crew: LinkCrew; left: Promise<Outcome<void>> }> {
  const ends = createCrewEnds();
  const { port } = ends.helper;
  const left = helper.run(({ stages }, end) => stages.joinCrew(end), ends.helper, {
    transfer: [port],
  });
  const words = new Int32Array(ends.lead.state);
  await vi.waitFor(() => expect(words[0]).toBe(1), { timeout: 10_000, interval: 5 });
  return { crew: new LinkCrew(ends.lead), left };
}

test("where nobody helps, links are made at once", () => {
  const { batch, made } = place({ files: 3 });
  new LinkCrew(undefined).link(batch);
  expect(made()).toEqual(["f0", "f1", "f2"]);
});

test("where a helper has not come yet, nothing waits for it", () => {
  const { batch, made } = place({ files: 3 });
  const { lead } = createCrewEnds();
  const crew = new LinkCrew(lead);
  crew.link(batch);
  expect(made()).toEqual(["f0", "f1", "f2"]);
  crew.settle();
  lead.port.close();
});

test("with a helper, all links are made when they are settled", async () => {
  const { batch, made } = place({ files: 5000 });
  const { crew, left } = await crewWithHelper();
  crew.link(batch);
  crew.settle();
  expect(made()).toEqual(batch.names);
  crew.close();
  await expect(left).resolves.toMatchObject({ ok: true });
});

test("a link that the helper can't make is an error when they are settled", async () => {
  const { batch } = place({ files: 1 });
  const { crew, left } = await crewWithHelper();
  crew.link({ ...batch, names: ["missing"] });
  expect(refusal(() => crew.settle())).toMatchObject({
    code: "NOT_FOUND",
    message: `cannot put together ${batch.toRoot}: no such file or directory`,
  });
  crew.close();
  await expect(left).resolves.toMatchObject({ ok: true });
});

test("after a failure the helper makes no more links", async () => {
  const { batch, made } = place({ files: 2 });
  const { crew, left } = await crewWithHelper();
  crew.link({ ...batch, names: ["missing"] });
  crew.link({ ...batch, names: ["f1"] });
  expect(refusal(() => crew.settle()).code).toBe("NOT_FOUND");
  expect(made()).toEqual([]);
  crew.close();
  await left;
});
