import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** A line of a table: its cells by the headings of their columns. */
type Row = Readonly<Record<string, string>>;

function rowsOf(markdown: string): readonly Row[] {
  const rows: Row[] = [];
  let headings: readonly string[] = [];
  for (const line of markdown.split("\n")) {
    const cells = line.split("|").slice(1, -1);
    const texts = cells.map((cell) => cell.trim());
    if (texts.length === 0 || headings.length === 0) headings = texts;
    else if (!texts.every((text) => /^-+$/.test(text))) {
      rows.push(Object.fromEntries(headings.map((heading, i) => [heading, texts[i] ?? ""])));
    }
  }
  return rows;
}

interface Reference {
  readonly text: string;
  /** Below `test/`, without its ending; undefined for what is no reference. */
  readonly file: string | undefined;
  /** Of a test or a group; undefined for the file as a whole. */
  readonly title: string | undefined;
}

/** Reads "`file` › title; › another title of that file; `another file`". */
function referencesIn(cell: string): readonly Reference[] {
  let file: string | undefined;
  return cell.split("; ").map((text) => {
    const match = /^(?:`([^`]+)`)?(?:(?:^| )› (.+))?$/.exec(text);
    file = match?.[1] ?? file;
    return { text, file: match ? file : undefined, title: match?.[2] };
  });
}

/** Whether the title is that of a test, of a group of tests or of a case in a table of them. */
function hasTitle(source: string, title: string): boolean {
  const withoutRemark = title.replace(/ \([^()]*\)$/, "");
  return [title, withoutRemark].some((text) =>
    ['"', "`"].some((quote) => {
      const at = source.indexOf(`${quote}${text}${quote}`);
      return at >= 0 && /[([]\s*$/.test(source.slice(0, at));
    }),
  );
}

function faultsOf({ text, file, title }: Reference): readonly string[] {
  const path = `test/${file}.test.ts`;
  if (file === undefined || !existsSync(path)) return [`"${text}" names no file of tests`];
  if (title === undefined || hasTitle(readFileSync(path, "utf8"), title)) return [];
  return [`${path} has no test "${title}"`];
}

const page = readFileSync("docs/conformance.md", "utf8");
const rows = rowsOf(page).filter((row) => "shown by" in row);
const named = rows.map((row) => [Object.values(row).slice(0, 2).join(": "), row] as const);
const statuses = /^(?:\*\*)?(?:yes|deviates|stricter|more lenient|n\/a)\b/;

describe("docs/conformance.md", () => {
  test("is read by these tests", () => {
    expect(rows.length).toBeGreaterThan(140);
  });

  test.each(named)("%s", (_, { "what we do": deed, "shown by": evidence = "" }) => {
    if (deed !== undefined) expect(deed).toMatch(statuses);
    if (evidence === "–") expect(deed).toMatch(/^n\/a/);
    else expect(referencesIn(evidence).flatMap(faultsOf)).toEqual([]);
  });
});
