// @ts-check

/**
 * @typedef {object} Table
 * @property {readonly Column[]} columns
 * @property {readonly (readonly string[])[]} rows a cell for each column
 */

/** @typedef {{ title: string, align: "left" | "right" }} Column */

/**
 * For a terminal: columns with space between them.
 * @param {Table} table
 */
export function plainTable({ columns, rows }) {
  const lines = padded({ columns, rows });
  return lines.map((cells) => cells.join("  ").trimEnd()).join("\n");
}

/**
 * As Markdown, with columns that are straight in the source too.
 * @param {Table} table
 */
export function markdownTable({ columns, rows }) {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const [head = [], ...body] = padded({ columns, rows: escaped });
  const rule = columns.map(({ align }, index) => {
    const dashes = "-".repeat((head[index]?.length ?? 3) - 1);
    return align === "right" ? `${dashes}:` : `${dashes}-`;
  });
  return [head, rule, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * The title and all rows, every cell as wide as its column.
 * @param {Table} table
 */
function padded({ columns, rows }) {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(3, ...all.map((row) => row[index]?.length ?? 0)),
  );
  return all.map((row) =>
    columns.map(({ align }, index) => {
      const [cell, width] = [row[index] ?? "", widths[index] ?? 0];
      return align === "right" ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
}

/**
 * @param {readonly string[]} titles
 * @returns {Column[]} the first to the left, the others, which are figures, to the right
 */
export function columns([first = "", ...others]) {
  return [
    { title: first, align: "left" },
    ...others.map((title) => ({ title, align: /** @type {const} */ ("right") })),
  ];
}
