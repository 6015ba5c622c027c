import { expect, test } from "vitest";
import type { Mount } from "../../src/launch/mount.js";
import { visibleMounts } from "../../src/launch/visible-mounts.js";

const at = (target: string): Mount => ({ type: "tmpfs", target });

test.each([
  ["nothing", [], []],
  ["what lies apart or below", ["/a", "/b", "/b/c"], ["/a", "/b", "/b/c"]],
  ["the last of two for one place", ["/tmp", "/b", "/tmp"], ["/b", "/tmp"]],
  ["not what a later mount above hides", ["/a/b", "/ab", "/a"], ["/ab", "/a"]],
])("keeps %s", (_, targets, kept) => {
  expect(visibleMounts(targets.map(at)).map(({ target }) => target)).toEqual(kept);
});
