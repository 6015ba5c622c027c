import type { TreeEntry } from "./tree.js";

/** What {@link diffTrees} overlooks, and how it names the two sides. */
export interface DiffOptions {
  /** Fields that may differ. */
  readonly ignoreFields?: readonly Exclude<keyof TreeEntry, "path">[];
  /** Paths that may differ or be missing on either side. */
  readonly ignorePaths?: (path: string) => boolean;
  readonly names?: readonly [string, string];
  /** After so many lines comes one with the number of those left out; 40 unless given. */
  readonly limit?: number;
}

/**
 * The differences between two trees, one readable line each; empty when they are the same. Meant
 * for `expect(diffTrees(a, b)).toEqual([])`.
 */
export function diffTrees(
  a: readonly TreeEntry[],
  b: readonly TreeEntry[],
  options: DiffOptions = {},
): string[] {
  const { ignoreFields = [], ignorePaths = () => false, names = ["first", "second"] } = options;
  const others = new Map(b.map((entry) => [entry.path, entry]));
  const known = new Set(a.map((entry) => entry.path));
  const lines = a.flatMap((entry) => {
    const other = others.get(entry.path);
    if (ignorePaths(entry.path)) return [];
    if (other === undefined) return [`${shown(entry)} is only in ${names[0]}`];
    return diffFields(entry, other, { ignoreFields, names });
  });
  const added = b
    .filter((entry) => !known.has(entry.path) && !ignorePaths(entry.path))
    .map((entry) => `${shown(entry)} is only in ${names[1]}`);
  return shorten([...lines, ...added], options.limit ?? 40);
}

const shown = ({ kind, path }: TreeEntry): string => `${kind} ${JSON.stringify(path)}`;

function diffFields(
  a: TreeEntry,
  b: TreeEntry,
  { ignoreFields = [], names = ["first", "second"] }: DiffOptions,
): string[] {
  const fields = new Set([...Object.keys(a), ...Object.keys(b)]);
  const left = new Map<string, unknown>(Object.entries(a));
  const right = new Map<string, unknown>(Object.entries(b));
  const differing = [...fields].filter(
    (field) =>
      !ignoreFields.some((ignored) => ignored === field) && left.get(field) !== right.get(field),
  );
  return differing.map(
    (field) =>
      `${shown(a)}: ${field} is ${left.get(field)} in ${names[0]}, ${right.get(field)} in ${names[1]}`,
  );
}

function shorten(lines: readonly string[], limit: number): string[] {
  const rest = lines.length - limit;
  return rest > 0 ? [...lines.slice(0, limit), `... and ${rest} more differences`] : [...lines];
}
