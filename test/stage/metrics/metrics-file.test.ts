import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { StageError } from "../../../src/errors.js";
import { signature } from "../../../src/stage/metrics/exposition.js";
import { errorMeasurements } from "../../../src/stage/metrics/measurement.js";
import { addToMetricsFile } from "../../../src/stage/metrics/metrics-file.js";
import { parseExposition } from "../../support/exposition.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const busy = errorMeasurements(new StageError("BUSY", "x"));
const key = 'stage_rootfs_errors_total{code="BUSY"}';

test("is made, added to, and readable by everybody, with nothing left beside it", async () => {
  const directory = scratchDirectory();
  const path = join(directory, "m.prom");
  writeFileSync(`${path}.new`, "what a killed process left");
  for (const _ of [1, 2]) expect(await addToMetricsFile(path, busy)).toEqual({ damaged: 0 });
  expect(parseExposition(readFileSync(path, "utf8")).get(key)).toBe(2);
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect(readdirSync(directory)).toEqual(["m.prom"]);
});

test("has all that is added at the same time", async () => {
  const path = join(scratchDirectory(), "m.prom");
  await Promise.all(Array.from({ length: 20 }, () => addToMetricsFile(path, busy)));
  expect(parseExposition(readFileSync(path, "utf8")).get(key)).toBe(20);
});

test("that is empty is begun; one that is damaged goes on from what can be read", async () => {
  const path = join(scratchDirectory(), "m.prom");
  writeFileSync(path, "");
  expect(await addToMetricsFile(path, busy)).toEqual({ damaged: 0 });
  writeFileSync(path, `${signature}\n${key} 41\nstage_rootfs_hits_total 1x\n`);
  expect(await addToMetricsFile(path, busy)).toEqual({ damaged: 1 });
  expect(Object.fromEntries(parseExposition(readFileSync(path, "utf8")))).toEqual({ [key]: 42 });
});

test("of another program, a link, a directory or what is too large is left alone", async () => {
  const directory = scratchDirectory();
  const [foreign = "", link = "", folder = "", huge = ""] = ["f", "l", "d", "h"].map((name) =>
    join(directory, name),
  );
  writeFileSync(huge, "");
  truncateSync(huge, 3 * 1024 ** 3);
  writeFileSync(foreign, "node_load1 0.5\n");
  symlinkSync(foreign, link);
  mkdirSync(folder);
  for (const path of [foreign, link, folder, huge]) {
    expect((await rejection(addToMetricsFile(path, busy))).toReport()).toEqual({
      code: "CONFIG",
      message: `${path} is no file of metrics that stage-rootfs keeps`,
      hint: "it is left alone: remove it, or name another with --metrics",
    });
  }
  expect(readFileSync(foreign, "utf8")).toBe("node_load1 0.5\n");
  expect(readdirSync(directory).sort()).toEqual(["d", "f", "h", "l"]);
});

test("can't be in a directory that is not there", async () => {
  const error = await rejection(addToMetricsFile(join(scratchDirectory(), "none/m.prom"), busy));
  expect(error).toBeInstanceOf(StageError);
});
