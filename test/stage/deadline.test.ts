import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { withinDeadline } from "../../src/stage/deadline.js";
import { checkRequest, type StageOptions, type StageRequest } from "../../src/stage/request.js";
import type { StageEvent } from "../../src/stage/result.js";
import { stageRootfs } from "../../src/stage.js";
import { file } from "../support/layers.js";
import { refusal, rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { archiveFile } from "../support/staged-archive.js";
import { waitingFor } from "../support/waiting-event.js";

vi.mock("../../src/extract/workers.js", () => import("../support/same-thread-workers.js"));

const layer = (finished: number): StageEvent => ({
  type: "layer",
  diffId: "sha256:a",
  size: 1,
  state: "unpacked",
  layers: { finished, total: 7 },
});

/** Tells those events, and goes on until it is stopped. */
function telling(...events: readonly StageEvent[]) {
  return async ({ options }: StageRequest): Promise<never> => {
    for (const event of events) options.onEvent?.(event);
    await sleep(60_000, undefined, { signal: options.signal }).catch(() => undefined);
    throw options.signal?.reason;
  };
}

function request(options: StageOptions = {}): StageRequest {
  return checkRequest("image.tar", { cacheDir: "/nowhere", deadline: 0.02, ...options });
}

describe("a deadline that is over", () => {
  const foreign = waitingFor({ layers: { finished: 2, total: 5 } });
  test.each<[what: string, events: readonly StageEvent[], message: string]>([
    ["nothing", [], ""],
    ["its own layers", [layer(1), layer(3)], ": 3 of 7 layers were"],
    ["its own layers, though it waits", [layer(3), foreign], ": 3 of 7 layers were"],
    ["another's", [foreign], ": 2 of 5 layers were, in process 7 on n1"],
    ["another process, but not how far it is", [waitingFor()], ": process 7 on n1 is at it"],
    ["all layers", [layer(7), { type: "assembling" }], ": its layers were, and were being put"],
  ])("is BUSY, and says how far it came where it knows of %s", async (_, events, message) => {
    const onEvent = vi.fn();
    const error = await rejection(withinDeadline(request({ onEvent }), telling(...events)));
    expect(error).toMatchObject({ code: "BUSY", exitStatus: 75 });
    expect(error.message).toContain(`image.tar was not ready within 0.02 s${message}`);
    expect(onEvent.mock.calls.flat()).toEqual(events);
  });

  test("counts the time that was waited before, and then nothing is begun", async () => {
    const work = vi.fn();
    await rejection(withinDeadline(request({ deadline: 60, waitedMs: 60_000 }), work));
    expect(work).not.toHaveBeenCalled();
  });
});

test("what is done in time is given, and without a deadline nothing is counted", async () => {
  for (const deadline of [60, undefined]) {
    expect(await withinDeadline(request({ deadline }), async () => "done")).toBe("done");
  }
});

test("what the caller stops is not taken for late", async () => {
  const reason = new Error("stopped by the caller");
  const signal = AbortSignal.abort(reason);
  const late = withinDeadline(request({ deadline: 60, signal }), telling());
  await expect(late).rejects.toBe(reason);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("%d is no deadline", (deadline) => {
  expect(refusal(() => request({ deadline })).code).toBe("USAGE");
});

test("an image that stands is found, however short the deadline is", async () => {
  const image = archiveFile([[file("f", "content")]]);
  const cacheDir = `${scratchDirectory()}/cache`;
  const error = await rejection(stageRootfs(image, { cacheDir, deadline: 0 }));
  expect(error.code).toBe("BUSY");
  await stageRootfs(image, { cacheDir, deadline: 600 });
  expect(await stageRootfs(image, { cacheDir, deadline: 0 })).toMatchObject({ hit: true });
});
