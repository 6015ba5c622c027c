import { describe, expect, test } from "vitest";
import { parseErrorLine, parseWarmEvent } from "../../../src/fleet/warm/parse-event.js";

const image = { type: "image", node: "n1", image: "a" };
const error = { code: "REGISTRY", message: "gone", hint: "wait" };
const sizes = { key: "k", rootfs: "/r", unpackedSize: 1, fetched: 0, ms: 5 };

describe("a line of a node's", () => {
  test.each([
    { type: "node", node: "n1", cacheDirectory: "/c", sharedWith: ["n2"] },
    { ...image, state: "staging", attempt: 1, layers: null, error: null },
    { ...image, state: "waiting", attempt: 2, layers: { finished: 1, total: 2 }, error: null },
    { ...image, state: "retrying", attempt: 2, layers: null, error },
    { ...image, state: "hit", ...sizes },
    { ...image, state: "staged", ...sizes },
    { ...image, state: "failed", error },
    { ...image, state: "skipped", error: { code: "NO_SPACE", message: "budget" } },
    { type: "end", node: "n1", ready: 1, failed: 0, skipped: 2, ms: 3 },
  ])("is an event: %j", (event) => {
    expect(parseWarmEvent(JSON.stringify(event))).toEqual(event);
    expect(parseWarmEvent(JSON.stringify({ ...event, later: "added" }))).toEqual(event);
  });

  test.each([
    "",
    "hello",
    "{",
    "[]",
    "{}",
    '{"type":"other"}',
    '{"type":"end","node":"n1","ready":-1,"failed":0,"skipped":0,"ms":1}',
    '{"type":"end","node":"n1","ready":"1","failed":0,"skipped":0,"ms":1}',
    '{"type":"image","node":"n1","image":"a","state":"hit"}',
    '{"type":"image","node":"n1","image":"a","state":"failed","error":null}',
    `{"type":"node","node":"n1","cacheDirectory":"${"x".repeat(1 << 20)}","sharedWith":[]}`,
  ])("is no event: %.80s", (line) => {
    expect(parseWarmEvent(line)).toBeUndefined();
  });

  test("can't write to a terminal, nor make up a kind of error", () => {
    const line = { ...image, state: "failed", error: { code: "toString", message: "a\u001b[2J" } };
    expect(parseWarmEvent(JSON.stringify(line))).toMatchObject({
      error: { code: "INTERNAL", message: "a\\x1b[2J" },
    });
  });
});

test("an error on stderr is known as such", () => {
  expect(parseErrorLine(JSON.stringify({ error }))).toEqual(error);
  expect(parseErrorLine('{"error":"x"}')).toBeUndefined();
  expect(parseErrorLine("stage-rootfs: gone")).toBeUndefined();
});
