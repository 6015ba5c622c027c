import { expect, test } from "vitest";
import { describeEvent } from "../../src/cli/event-text.js";
import { waitingFor } from "../support/waiting-event.js";

test.each([
  [{}, "process 7 on n1, which is staging the image"],
  [{ job: "12" }, "process 7 on n1 (job 12), which is staging the image"],
  [
    { job: "12", layers: { finished: 3, total: 7 }, elapsedMs: 12_400 },
    "process 7 on n1 (job 12), which has staged 3 of 7 layers in 12 s",
  ],
  [
    { job: "12", elapsedMs: 7400 },
    "process 7 on n1 (job 12), which has begun to stage the image 7 s ago",
  ],
  [{ pid: null, host: null }, "another process, which is staging the image"],
])("a wait %j is told as: %s", (change, text) => {
  expect(describeEvent(waitingFor(change))).toBe(`stage-rootfs: waiting for ${text}`);
});
