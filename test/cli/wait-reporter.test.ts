import { describe, expect, test, vi } from "vitest";
import type { OptionValues } from "../../src/cli/options.js";
import { waitReporter } from "../../src/cli/wait-reporter.js";
import { writeAtOnce } from "../../src/cli/write-at-once.js";
import { waitingFor } from "../support/waiting-event.js";

vi.mock("../../src/cli/write-at-once.js", () => ({ writeAtOnce: vi.fn() }));

const line = "stage-rootfs: waiting for process 7 on n1, which is staging the image\n";

describe("waitReporter", () => {
  const cases: readonly (readonly [OptionValues, { after: number; said: string[] }])[] = [
    [{ progress: "plain" }, { after: 0, said: [line] }],
    [{ progress: "json" }, { after: 0, said: [`${JSON.stringify(waitingFor())}\n`] }],
    [{}, { after: 4999, said: [] }],
    [{}, { after: 5000, said: [line] }],
    [{ progress: "none" }, { after: 60_000, said: [] }],
    [
      { progress: "plain", quiet: true },
      { after: 60_000, said: [] },
    ],
  ];
  test.for(cases)("with %j says once %j", ([values, { after, said }]) => {
    vi.mocked(writeAtOnce).mockClear();
    const report = waitReporter(values);
    report(waitingFor());
    report(waitingFor({ waitedMs: after }));
    report(waitingFor({ waitedMs: after }));
    expect(vi.mocked(writeAtOnce).mock.calls).toEqual(said.map((text) => [text, 2]));
  });
});
