import { describe, expect, test, vi } from "vitest";
import type { OptionValues } from "../../src/cli/options.js";
import { waitReporter } from "../../src/cli/wait-reporter.js";
import { writeAtOnce } from "../../src/cli/write-at-once.js";

vi.mock("../../src/cli/write-at-once.js", () => ({ writeAtOnce: vi.fn() }));

const event = { type: "waiting", what: "the image", pid: 7, host: "n1" } as const;
const line = "stage-rootfs: waiting for process 7 on n1, which is staging the image\n";

describe("waitReporter", () => {
  const cases: readonly (readonly [OptionValues, { after: number; said: string[] }])[] = [
    [{ progress: "plain" }, { after: 0, said: [line] }],
    [{ progress: "json" }, { after: 0, said: [`${JSON.stringify(event)}\n`] }],
    [{}, { after: 4999, said: [] }],
    [{}, { after: 5000, said: [line] }],
    [{ progress: "none" }, { after: 60_000, said: [] }],
    [
      { progress: "plain", quiet: true },
      { after: 60_000, said: [] },
    ],
  ];
  test.for(cases)("with %j says at most once %j", ([values, { after, said }]) => {
    vi.mocked(writeAtOnce).mockClear();
    const report = waitReporter(values);
    report(event, 0);
    report(event, after);
    report(event, after);
    expect(vi.mocked(writeAtOnce).mock.calls).toEqual(said.map((text) => [text, 2]));
  });
});
