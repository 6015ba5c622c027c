import { expect, test } from "vitest";
import { faultOfStep } from "../../../src/fleet/warm/step-words.js";

test.each([
  [
    "what the program said as JSON",
    [
      '{"error":{"code":"CONFIG","message":"bad key","hint":"mend it"}}',
      "srun: error: n1: task 0: Exited with exit code 78",
    ],
    78,
    { code: "CONFIG", message: "bad key", hint: "mend it" },
  ],
  [
    "the last words that are not srun's own",
    ["Killed by somebody", "srun: error: n1: task 0: Exited with exit code 137"],
    137,
    { code: "BUSY", message: "Killed by somebody" },
  ],
  [
    "srun's own words where there are no others",
    ["srun: error: n1: task 0: Killed"],
    137,
    { code: "BUSY", message: "n1: task 0: Killed" },
  ],
  [
    "that a time limit was reached",
    [
      "slurmstepd-n1: error: *** STEP 4.0 ON n1 CANCELLED AT 2026 DUE TO TIME LIMIT ***",
      "srun: Job step aborted: Waiting up to 7 seconds for job step to finish.",
      "srun: error: n1: task 0: Terminated",
    ],
    143,
    { code: "BUSY", message: "*** STEP 4.0 ON n1 CANCELLED AT 2026 DUE TO TIME LIMIT ***" },
  ],
  [
    "that all of the node is in use",
    [
      "srun: job 3 queued and waiting for resources",
      "srun: error: Unable to allocate resources: Requested nodes are busy",
    ],
    1,
    { code: "BUSY", hint: expect.stringContaining("--start-within") },
  ],
  [
    "that the program is missing",
    ["stage-rootfs: /opt/it is not there", "srun: error: n1: task 0: Exited with exit code 127"],
    127,
    {
      code: "NOT_FOUND",
      message: "the program can't be started there: /opt/it is not there",
      hint: "have /opt/it on every node, or say where it is with --node-program",
    },
  ],
  ["its status where nothing was said", ["", " "], 5, { message: "srun ended with status 5" }],
  ["nothing that upsets a terminal", ["\u001b[2Jgone"], 1, { message: "\\x1b[2Jgone" }],
])("a step that fails says %s", (_, lines, exitCode, report) => {
  expect(faultOfStep(lines, { exitCode, program: "/opt/it" })).toMatchObject(report);
});
