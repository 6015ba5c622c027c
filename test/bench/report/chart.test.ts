import { expect, test } from "vitest";
import { chart } from "../../../bench/report/chart.mjs";
import { part, row } from "../support.js";

const parts = [
  part("first", [
    row("reference", 2),
    row("own", 1, { against: "reference", own: true }),
    row("slow", 8, { against: "reference", label: "a & b < c" }),
  ]),
  part("second", [row("other", 10), row("half", 5, { against: "other" })]),
];

function bars(svg: string): { kind: string; length: number }[] {
  return [...svg.matchAll(/<rect class="(\w+)" .*?width="([\d.]+)"/g)].map(([, kind, length]) => ({
    kind: kind ?? "",
    length: Number(length),
  }));
}

test("bars are as long as the ratios, in all groups alike", () => {
  const [reference, own, slow, other, half] = bars(chart(parts));
  const one = reference?.length ?? 0;
  expect(one).toBeGreaterThan(0);
  expect(own?.length).toBeCloseTo(one / 2, 0);
  expect(slow?.length).toBeCloseTo(one * 4, 0);
  expect(other?.length).toBeCloseTo(one, 0);
  expect(half?.length).toBeCloseTo(one / 2, 0);
});

test("only bars of stage-rootfs stand out", () => {
  expect(bars(chart(parts)).map(({ kind }) => kind)).toEqual([
    "other",
    "own",
    "other",
    "other",
    "other",
  ]);
});

test("text is escaped, and times stand beside the bars", () => {
  const svg = chart(parts);
  expect(svg).toContain(">a &amp; b &lt; c</text>");
  expect(svg).toContain(">8.00 s (4.00)</text>");
  expect(svg).toContain(">Title of second</text>");
});
