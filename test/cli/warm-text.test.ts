import { describe, expect, test } from "vitest";
import { readyLine, warmNarrator } from "../../src/cli/warm-text.js";
import type { WarmEvent } from "../../src/stage/warm/warm-event.js";

const node = "n1";

const ready: WarmEvent = {
  type: "image",
  node,
  image: "docker://debian:12",
  state: "hit",
  key: `sha256-${"0123456789abcdef".repeat(4)}`,
  rootfs: "/c/rootfs",
  unpackedSize: 3 * 1024 ** 3,
  fetched: 0,
  ms: 1234,
};

function failed(image: string, message: string, hint = "try again"): WarmEvent {
  return { type: "image", node, image, state: "failed", error: { code: "BUSY", message, hint } };
}

function underWay(state: "staging" | "waiting" | "retrying"): WarmEvent {
  const error = state === "retrying" ? { code: "REGISTRY" as const, message: "it is down" } : null;
  const layers = { finished: 1, total: 3 };
  return { type: "image", node, image: "a.tar", state, attempt: 2, layers, error };
}

const end = (failed: number): WarmEvent => {
  return { type: "end", node, ready: 2, failed, skipped: 0, ms: 1 };
};

test("an image that is ready is a line of columns, with the image last", () => {
  expect(readyLine(ready)).toBe("hit     0123456789ab   3.0G    1.23s  docker://debian:12");
  expect(readyLine(end(0))).toBeUndefined();
});

describe("the narrator", () => {
  const quiet = { progress: false, quiet: true };
  const log = { progress: false, quiet: false };
  const onlooker = { progress: true, quiet: false };

  test("names the image of an error once, and gives the same advice once", () => {
    const tell = warmNarrator(quiet);
    expect(tell(failed("a.tar", "no room for a.tar"))).toBe(
      "stage-rootfs: no room for a.tar (try again)",
    );
    expect(tell(failed("b.tar", "the cache is odd"))).toBe("stage-rootfs: b.tar: the cache is odd");
  });

  test("names an image once also where its name can't be printed as it is", () => {
    expect(warmNarrator(quiet)(failed("a\nb", "no such file: a\\x0ab", "look"))).toBe(
      "stage-rootfs: no such file: a\\x0ab (look)",
    );
  });

  test.each<[string, typeof log, WarmEvent, string | undefined]>([
    ["to an onlooker, how far it is", onlooker, underWay("staging"), "staging a.tar, 1 of 3"],
    ["to an onlooker, that it waits", onlooker, underWay("waiting"), "another process is staging"],
    ["to a log, what is tried again", log, underWay("retrying"), "a.tar: it is down; try 2"],
    ["to a log, how many are ready of how many", log, end(1), "2 of 3 images are ready, 1 failed"],
    ["nothing to a log of what goes well", log, underWay("staging"), undefined],
    ["nothing at the end where all is ready", log, end(0), undefined],
    ["nothing but errors where it is to be quiet", quiet, end(1), undefined],
    ["nothing of an image that is ready", onlooker, ready, undefined],
  ])("tells %s", (_, options, event, text) => {
    const told = warmNarrator(options)(event);
    if (text === undefined) expect(told).toBeUndefined();
    else expect(told).toContain(`stage-rootfs: ${text}`);
  });
});
