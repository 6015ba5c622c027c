import { existsSync } from "node:fs";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { WarmEvent } from "../../../src/stage/warm/warm-event.js";
import { warmImages } from "../../../src/stage/warm/warm-images.js";
import type { WarmOptions, WarmReport } from "../../../src/stage/warm/warm-options.js";
import { file } from "../../support/layers.js";
import { first, on, startOddRegistry } from "../../support/odd-registry.js";
import { rejection } from "../../support/refusal.js";
import { failing } from "../../support/registry/oddities.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveFile } from "../../support/staged-archive.js";

/** The pause before another try, in milliseconds. */
const usual = vi.hoisted(() => ({ pause: 20 }));

vi.mock("../../../src/stage/warm/retry-rule.js", async (original) => {
  return { ...(await original()), pauseBeforeRetry: () => usual.pause };
});
vi.mock("../../../src/extract/workers.js", () => import("../../support/same-thread-workers.js"));

const base = [file("base", "b".repeat(100_000))];

/** An image with a base of 100,000 bytes, and so many bytes of its own. */
function image(name: string, size: number): string {
  return archiveFile([base, [file(name, name.padEnd(size))]]);
}

async function warm(images: readonly string[], options: WarmOptions = {}) {
  const events: WarmEvent[] = [];
  const onEvent = (event: WarmEvent) => void events.push(event);
  const cacheDir = options.cacheDir ?? `${scratchDirectory()}/cache`;
  const report = await warmImages(images, { ...options, cacheDir, onEvent });
  return { report, events, cacheDir };
}

function states({ images }: WarmReport): readonly string[] {
  return images.map(({ state }) => state);
}

/** The code with which an image failed or was skipped. */
function codeOf({ images }: WarmReport, index: number): string | undefined {
  const end = images[index];
  return end && "error" in end ? end.error.code : undefined;
}

describe("a list of images", () => {
  test("is staged, each once, and what happens is told from the node to the end", async () => {
    const [a, b] = [image("a", 10), image("b", 20)];
    const { report, events, cacheDir } = await warm([a, b, a]);
    expect(states(report)).toEqual(["staged", "staged"]);
    expect(report.images.map((each) => each.image)).toEqual([a, b]);
    expect(events[0]).toMatchObject({ type: "node", node: report.node, cacheDirectory: cacheDir });
    expect(events.at(-1)).toMatchObject({ type: "end", ready: 2, failed: 0, skipped: 0 });
    const ready = events.filter((event) => "key" in event);
    expect(ready).toHaveLength(2);
    for (const { rootfs } of ready) expect(existsSync(rootfs)).toBe(true);
    const sizes = ready.map(({ unpackedSize }) => unpackedSize);
    expect(sizes.sort()).toEqual([100_010, 100_020]);
    const again = await warm([a, b], { cacheDir });
    expect(states(again.report)).toEqual(["hit", "hit"]);
    expect(again.events).toHaveLength(4);
  });

  test("is staged but for what fails, and the report has the reason", async () => {
    const { report, events } = await warm(["/nowhere.tar", image("a", 1), "no reference:"]);
    expect(states(report)).toEqual(["failed", "staged", "failed"]);
    expect(codeOf(report, 0)).toBe("NOT_FOUND");
    expect(events).toContainEqual(
      expect.objectContaining({ image: "/nowhere.tar", state: "failed" }),
    );
    expect(events.at(-1)).toMatchObject({ ready: 1, failed: 2 });
  });

  test("leaves no lease, unless one is asked for", async () => {
    const { report, cacheDir } = await warm([image("a", 1)]);
    expect(report.images[0]).toMatchObject({ result: { lease: null } });
    const leased = await warm([image("a", 1)], { cacheDir, lease: { seconds: 60 } });
    expect(leased.report.images[0]).toMatchObject({ result: { lease: /^until-/ } });
  });

  test.each<[what: string, options: WarmOptions]>([
    ["no number of tries", { retry: -1 }],
    ["no budget", { budget: 0.5 }],
    ["no number of jobs", { jobs: 0 }],
    ["no deadline", { deadline: -1 }],
    ["no platform", { platform: "linux" }],
  ])("is not begun where options are wrong: %s", async (_, options) => {
    const onEvent = vi.fn();
    const error = await rejection(warmImages(["a.tar"], { ...options, onEvent }));
    expect(error.code).toBe("USAGE");
    expect(onEvent).not.toHaveBeenCalled();
  });

  test("is given up when the caller stops it, and nothing of it is told as a failure", async () => {
    const controller = new AbortController();
    const events: WarmEvent[] = [];
    const onEvent = (event: WarmEvent) => {
      events.push(event);
      if (event.type === "image") controller.abort(new Error("enough"));
    };
    const cacheDir = `${scratchDirectory()}/cache`;
    const { signal } = controller;
    const images = ["a", "b", "c"].map((name) => image(name, 1));
    await expect(warmImages(images, { cacheDir, signal, onEvent })).rejects.toThrow("enough");
    expect(events.filter((event) => "error" in event && event.error)).toEqual([]);
    expect(events.filter(({ type }) => type === "end")).toEqual([]);
  });
});

describe("a budget", () => {
  test("leaves out what does not fit, and takes what comes later and does", async () => {
    const images = [image("a", 100_000), image("b", 200_000), image("c", 50_000)];
    const { report } = await warm(images, { budget: 300_000 });
    expect(states(report)).toEqual(["staged", "skipped", "staged"]);
    expect(codeOf(report, 1)).toBe("NO_SPACE");
  });

  test("counts what stands already, also where that comes later in the list", async () => {
    const [a, b] = [image("a", 100_000), image("b", 100_000)];
    const { cacheDir } = await warm([b]);
    const { report } = await warm([a, b], { cacheDir, budget: 250_000 });
    expect(states(report)).toEqual(["skipped", "hit"]);
  });

  test("never leaves out what stands, not even where its source is not known", async () => {
    const a = image("a", 100_000);
    const { cacheDir } = await warm([a]);
    const { report } = await warm([image("a", 100_000)], { cacheDir, budget: 0 });
    expect(states(report)).toEqual(["hit"]);
  });

  test("is that of files, whatever a compressed image seemed to be", async () => {
    const [a, b] = [image("a", 10_000), image("b", 10_000)];
    const { report } = await warm([a, b], { budget: 125_000 });
    expect(states(report)).toEqual(["staged", "staged"]);
  });

  test("does not count an image that could not be staged", async () => {
    const bad = archiveFile([base, [file("x", "x".padEnd(150_000))]], {
      stored: [Buffer.alloc(1024), Buffer.alloc(160_000)],
    });
    const { report } = await warm([bad, image("a", 100_000)], { budget: 250_000 });
    expect(states(report)).toEqual(["failed", "staged"]);
  });
});

describe("another try", () => {
  test("is made of what may do better, after the others were tried", async () => {
    const registry = await startOddRegistry([on("config", first(1, failing(501)))]);
    const images = [registry.reference(), image("a", 1), "/nowhere.tar"];
    const { report, events } = await warm(images, { retry: 1 });
    expect(states(report)).toEqual(["staged", "staged", "failed"]);
    const retrying = events.filter((event) => "state" in event && event.state === "retrying");
    expect(retrying).toMatchObject([{ attempt: 2, error: { code: "REGISTRY" } }]);
    const order = events.map((event) => ("state" in event ? event.state : event.type));
    expect(order.lastIndexOf("staged")).toBeGreaterThan(order.indexOf("failed"));
  });
});

describe("a number of tries", () => {
  test.each([
    [undefined, 0],
    [2, 2],
  ])("of %s more is made, and no other", async (retry, more) => {
    const registry = await startOddRegistry([on("config", failing(501))]);
    const { report, events } = await warm([registry.reference()], { retry });
    expect(codeOf(report, 0)).toBe("REGISTRY");
    const retrying = events.filter((event) => "state" in event && event.state === "retrying");
    expect(retrying).toHaveLength(more);
  });
});

describe("a deadline for all of the list", () => {
  test("leaves out what is not reached, but not what stands", async () => {
    const [a, b] = [image("a", 1), image("b", 1)];
    const { cacheDir } = await warm([b]);
    const { report } = await warm([a, b], { cacheDir, deadline: 0 });
    expect(states(report)).toEqual(["skipped", "hit"]);
    expect(codeOf(report, 0)).toBe("BUSY");
  });

  test.each([
    ["during a try", 20],
    ["during a pause", 60_000],
  ])("that is over %s keeps the reason for which it was tried again", async (_, pause) => {
    usual.pause = pause;
    onTestFinished(() => {
      usual.pause = 20;
    });
    const registry = await startOddRegistry([on("config", failing(501))]);
    const start = performance.now();
    const { report } = await warm([registry.reference()], { retry: 9999, deadline: 0.5 });
    expect(performance.now() - start).toBeLessThan(5000);
    expect(states(report)).toEqual(["failed"]);
    expect(codeOf(report, 0)).toBe("REGISTRY");
  });
});
