import { describe, expect, test } from "vitest";
import { markdownReport, plainPart, withReport } from "../../../bench/report/page.mjs";
import { part, results, row } from "../support.js";

const page = "# Title\n\n<!-- bench: begin -->\n\nold\n\n<!-- bench: end -->\n\nrest\n";

describe("withReport", () => {
  test("replaces what is between the markers and nothing else", () => {
    const fresh = withReport(page, "new");
    expect(fresh).toBe(page.replace("old", "new"));
    expect(withReport(fresh, "new")).toBe(fresh);
  });

  test.each([
    ["no end", "<!-- bench: begin -->"],
    ["no begin", "<!-- bench: end -->"],
    ["the end first", "<!-- bench: end --><!-- bench: begin -->"],
  ])("refuses a page with %s", (_, text) => {
    expect(() => withReport(text, "new")).toThrow("bench: begin");
  });
});

describe("markdownReport", () => {
  const system = part("system", [row("own", 1, { node: "20.1.0" }), row("two", 2)], {
    absent: [{ label: "podman pull", reason: "podman is not installed" }],
  });
  const programs = [{ label: "pigz -dc | tar -x", version: "2.6", does: "unpacks" }];
  const report = markdownReport(results([system], { programs }));

  test.each([
    "Some CPU, 2 cores, 8 GiB of memory; Debian, Linux 6.1; Node 20.1.0; unpacked to tmpfs.",
    "Measured on 2030-01-02.",
    "### Title of system",
    "About system. Medians of 5 rounds.",
    "| the two | 2.00 s |",
    "Not measured: podman pull (podman is not installed).",
    "| `pigz -dc \\| tar -x` | 2.6     | unpacks      |",
  ])("has %j", (text) => {
    expect(report).toContain(text);
  });

  test("says so when parts were measured on several days", () => {
    const later = part("warm", [], { measured: "2030-02-03T00:00:00.000Z" });
    expect(markdownReport(results([later, system]))).toContain(
      "Measured from 2030-01-02 to 2030-02-03.",
    );
  });
});

test("a part in which nothing could be measured has the reasons and no table", () => {
  const absent = [{ label: "all", reason: "zstd is not installed" }];
  expect(plainPart(part("zstd", [], { absent }))).toBe(
    "About zstd.\nNot measured: all (zstd is not installed).",
  );
});
