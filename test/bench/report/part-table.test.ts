import { expect, test } from "vitest";
import { partTable } from "../../../bench/report/part-table.mjs";
import { part, row } from "../support.js";

test("programs are compared with their reference", () => {
  const rows = [
    row("pigz", 2),
    row("own", 0.5, { against: "pigz" }),
    row("other", 6, {
      against: "pigz",
      median: { seconds: 6, cpuSeconds: null, peakMiB: null },
    }),
  ];
  expect(partTable(part("cold", rows)).rows).toEqual([
    ["the pigz", "2.00 s", "1", "4.00 s", "10 MiB"],
    ["the own", "500 ms", "0.25", "1.00 s", "10 MiB"],
    ["the other", "6.00 s", "3.00", "–", "–"],
  ]);
});

test("where a size varies, there is a time for each unit of it", () => {
  const rows = [
    row("pigz/1000", 0.01, { scale: 1000 }),
    row("own/1000", 0.02, { scale: 1000, against: "pigz/1000" }),
    row("own/1000000", 5, { scale: 1_000_000 }),
  ];
  const { columns, rows: cells } = partTable(part("scale", rows, { unit: "files" }));
  expect(columns.map(({ title }) => title)).toContain("per file");
  expect(cells).toEqual([
    ["the pigz/1000", "1,000", "10 ms", "10 µs", "1", "10 MiB"],
    ["the own/1000", "1,000", "20 ms", "20 µs", "2.00", "10 MiB"],
    ["the own/1000000", "1,000,000", "5.00 s", "5 µs", "1", "10 MiB"],
  ]);
});
