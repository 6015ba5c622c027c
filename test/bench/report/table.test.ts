import { expect, test } from "vitest";
import { columns, markdownTable, plainTable } from "../../../bench/report/table.mjs";

const table = {
  columns: columns(["", "time", "ratio"]),
  rows: [
    ["a | b", "1.5 s", "1"],
    ["c", "12.5 s", "8.33"],
  ],
};

test("a plain table has names to the left and figures to the right", () => {
  expect(plainTable(table)).toBe(
    [
      "         time  ratio", //
      "a | b   1.5 s      1",
      "c      12.5 s   8.33",
    ].join("\n"),
  );
});

test("a Markdown table keeps bars in cells apart from its own", () => {
  expect(markdownTable(table)).toBe(
    [
      "|        |   time | ratio |", //
      "| ------ | -----: | ----: |",
      "| a \\| b |  1.5 s |     1 |",
      "| c      | 12.5 s |  8.33 |",
    ].join("\n"),
  );
});

test("a column without any text is wide enough for Markdown's rule", () => {
  expect(markdownTable({ columns: columns(["", "n"]), rows: [["", "1"]] })).toBe(
    [
      "|     |   n |", //
      "| --- | --: |",
      "|     |   1 |",
    ].join("\n"),
  );
});
