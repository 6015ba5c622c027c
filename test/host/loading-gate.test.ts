import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import {
  closeLoadingGate,
  createLoadingGate,
  heedLoadingGate,
  loadLater,
  loadNow,
} from "../../src/host/loading-gate.js";
import { WorkStopped } from "../../src/host/work-stopped.js";

const never = new AbortController().signal;

/** A gate that this thread heeds, as those of a pool do. */
function heeded() {
  const gate = createLoadingGate();
  heedLoadingGate(gate);
  return gate;
}

afterEach(() => heedLoadingGate(undefined));

describe("code", () => {
  test("is loaded while the gate is open, and where there is none", async () => {
    expect(loadNow(() => 1)).toBe(1);
    expect(await loadLater(async () => 2)).toBe(2);
    heeded();
    expect(loadNow(() => 3)).toBe(3);
    expect(await loadLater(async () => 4)).toBe(4);
  });

  test("is loaded no more once the gate is closed", async () => {
    await closeLoadingGate(heeded(), { signal: never });
    expect(() => loadNow(() => expect.unreachable())).toThrow(WorkStopped);
    await expect(loadLater(async () => expect.unreachable())).rejects.toThrow(WorkStopped);
  });
});

describe("whoever closes the gate", () => {
  test("waits for what is being loaded", async () => {
    const gate = heeded();
    let resolve = (_: string) => {};
    const promise = new Promise<string>((done) => {
      resolve = done;
    });
    const loading = loadLater(() => promise);
    let isClosed = false;
    const closing = closeLoadingGate(gate, { signal: never }).then(() => {
      isClosed = true;
    });
    await sleep(30);
    expect(isClosed).toBe(false);
    resolve("loaded");
    expect(await loading).toBe("loaded");
    await closing;
  });

  test("waits for nothing that could not be loaded", async () => {
    const gate = heeded();
    const fail = () => {
      throw new Error("no such code");
    };
    expect(() => loadNow(fail)).toThrow("no such code");
    await expect(loadLater(async () => fail())).rejects.toThrow("no such code");
    await closeLoadingGate(gate, { signal: never });
  });

  test("gives up when told to", async () => {
    const gate = heeded();
    void loadLater(() => new Promise(() => undefined));
    await closeLoadingGate(gate, { signal: AbortSignal.timeout(20) });
  });
});
