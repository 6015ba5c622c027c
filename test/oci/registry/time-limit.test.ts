import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { withinTime } from "../../../src/oci/registry/time-limit.js";
import { rejection } from "../../support/refusal.js";

const endless = (signal: AbortSignal) => sleep(60_000, undefined, { signal });

test("what comes in time comes", async () => {
  const work = async (signal: AbortSignal) => signal.aborted;
  expect(await withinTime("it", { ms: 1000, signal: undefined, work })).toBe(false);
});

test("a limit beyond what timers can hold is none", async () => {
  const work = async (signal: AbortSignal) => {
    await sleep(20);
    return signal.aborted;
  };
  expect(await withinTime("it", { ms: 1e15, signal: undefined, work })).toBe(false);
});

test("what takes longer is stopped, and named", async () => {
  const late = withinTime("the tag x", { ms: 20, signal: undefined, work: endless });
  const error = await rejection(late);
  expect(error).toMatchObject({ code: "REGISTRY" });
  expect(error.message).toContain("the tag x did not come");
});

test("what is stopped for another reason says that one", async () => {
  const controller = new AbortController();
  const stopped = withinTime("it", { ms: 60_000, signal: controller.signal, work: endless });
  controller.abort(new Error("enough"));
  await expect(stopped).rejects.toThrow("enough");
});

test("what fails by itself says so", async () => {
  const work = async () => {
    throw new Error("broken");
  };
  await expect(withinTime("it", { ms: 1000, signal: undefined, work })).rejects.toThrow("broken");
});
