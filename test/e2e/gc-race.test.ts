import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileSources } from "../support/compiled-sources.js";
import { directory, file } from "../support/layers.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";

const rounds = Number(process.env["STAGE_ROOTFS_TEST_ROUNDS"] ?? 150) * 10;
const files = 20;

/** Looks for hits, and reads all of each one that it gets, for as long as it has a lease on it. */
const reader = `
import { readdirSync, readFileSync, unlinkSync } from "node:fs";
const [, , sources, cacheDir, rounds, ...archives] = process.argv;
const { findHit } = await import(sources + "/stage/hit.js");
const { checkRequest } = await import(sources + "/stage/request.js");
const word = "-" + process.pid.toString(36) + "-";
let hits = 0;
let misses = 0;
for (let round = 0; hits < Number(rounds) || misses < 20; round++) {
  const archive = archives[round % archives.length];
  const request = checkRequest(archive, { cacheDir, config: "/dev/null", lease: { seconds: 600 } });
  const hit = findHit(request);
  if (!hit) {
    misses++;
    continue;
  }
  hits++;
  for (let look = 0; look < 3; look++) {
    for (let i = 0; i < ${files}; i++) {
      const text = readFileSync(hit.rootfs + "/sealed/f" + i, "utf8");
      if (text !== "content " + i) throw new Error("not what it was: " + text);
    }
    if (readdirSync(hit.rootfs + "/sealed").length !== ${files}) throw new Error("not all there");
  }
  const leases = cacheDir + "/v1/leases/" + hit.key;
  const own = readdirSync(leases).filter((name) => name.includes(word));
  if (own.length === 0) throw new Error("the lease is gone");
  for (const name of own) unlinkSync(leases + "/" + name);
}
process.stdout.write(JSON.stringify({ hits, misses }));
process.exit();
`;

/** Stages the images over and over. */
const stager = `
const [, , sources, cacheDir, ...archives] = process.argv;
const { stageRootfs } = await import(sources + "/stage.js");
for (;;) {
  for (const archive of archives) {
    await stageRootfs(archive, { cacheDir, config: "/dev/null", lease: "none" });
  }
}
`;

/** Removes all that it may, over and over. */
const collector = `
const [, , sources, cacheDir] = process.argv;
const { collectGarbage } = await import(sources + "/stage/gc/collect-garbage.js");
for (;;) await collectGarbage({ cacheDir, config: "/dev/null", maxSize: 0, minAge: 0 });
`;

let sources: string;
let compiled: string;

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), "stage-rootfs-compiled-"));
  sources = compileSources(compiled);
  for (const [name, text] of Object.entries({ reader, stager, collector })) {
    writeFileSync(`${compiled}/${name}.mjs`, text);
  }
}, 60_000);

afterAll(() => rmSync(compiled, { recursive: true }));

function start(script: string, ...args: readonly string[]): ChildProcess {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return spawn(process.execPath, [`${compiled}/${script}.mjs`, sources, ...args], {
    stdio: [...stdio],
  });
}

async function outcomeOf(child: ChildProcess): Promise<{ status: unknown; text: string }> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  const [status] = await once(child, "close");
  return { status, text };
}

test("readers get whole entries under their leases, or misses, while all is removed that may be", async () => {
  const cacheDir = `${scratchDirectory()}/cache`;
  const sealed = Array.from({ length: files }, (_, i) => file(`sealed/f${i}`, `content ${i}`));
  const layers = [directory("sealed", { mode: 0o000 }), ...sealed];
  const archives = ["a", "b"].map((name) => archiveFile([layers, [file(name, name)]]));
  const others = [
    start("stager", cacheDir, ...archives),
    start("collector", cacheDir),
    start("collector", cacheDir),
  ];
  const ended = others.map((child) => outcomeOf(child));
  const readers = [0, 1].map(() => start("reader", cacheDir, String(rounds), ...archives));
  const outcomes = await Promise.all(readers.map(outcomeOf));
  for (const child of others) {
    // Neither has failed meanwhile.
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    child.kill("SIGKILL");
  }
  await Promise.all(ended);
  for (const { status, text } of outcomes) {
    expect(status).toBe(0);
    expect(text).toMatch(/"misses":\d\d/);
  }
  expect(readdirSync(`${cacheDir}/v1/rootfs`).length).toBeLessThanOrEqual(2);
}, 120_000);
