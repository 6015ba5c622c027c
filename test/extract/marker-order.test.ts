import { expect, test } from "vitest";
import { fromRootDown } from "../../src/extract/marker-order.js";

const whiteouts = ["z", "a/b/c", "a"];
const opaque = ["a/b", "", "z/y"];

/** A whiteout as it is, an opaque directory with a star. */
function inOrder(record: Parameters<typeof fromRootDown>[0]): readonly string[] {
  return fromRootDown(record).map(({ path, isOpaque }) => (isOpaque ? `${path}/*` : path));
}

test("markers come by the depth of what they hide, whatever the order in the layer", () => {
  const expected = ["/*", "a", "z", "a/b/*", "a/b/c", "z/y/*"];
  expect(inOrder({ whiteouts, opaque })).toEqual(expected);
  const reversed = { whiteouts: whiteouts.toReversed(), opaque: opaque.toReversed() };
  expect(inOrder(reversed)).toEqual(expected);
});
