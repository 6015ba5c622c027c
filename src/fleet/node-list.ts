import { runSlurm } from "./run-slurm.js";

/**
 * The names that a list of Slurm's stands for, in its order: `n[1-3],gpu7`.
 * @throws StageError BUSY; what `signal` was aborted with
 */
export async function expandNodeList(
  list: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly string[]> {
  const argv = ["scontrol", "show", "hostnames", list] as const;
  const text = await runSlurm(argv, { to: `tell which nodes ${list} are`, signal });
  return [...new Set(text.split(/\s+/).filter((name) => name !== ""))];
}

/** Names as Slurm writes them: those that differ in the number at their end alone share brackets. */
export function compressNodeList(names: Iterable<string>): string {
  const numbered = new Map<string, Set<string>>();
  for (const name of names) {
    const [, prefix = "", digits = ""] = /^(.*?)(\d*)$/s.exec(name) ?? [];
    const digitsOf = numbered.get(prefix) ?? new Set();
    numbered.set(prefix, digitsOf.add(digits));
  }
  const groups = [...numbered].sort(([a], [b]) => (a < b ? -1 : 1));
  return groups.flatMap(([prefix, digits]) => groupText(prefix, [...digits])).join(",");
}

function groupText(prefix: string, all: readonly string[]): readonly string[] {
  const plain = all.includes("") ? [prefix] : [];
  const digits = all.filter((text) => text !== "");
  const [first = ""] = digits;
  if (digits.length < 2) return digits.length === 0 ? plain : [...plain, prefix + first];
  return [...plain, `${prefix}[${ranges(digits).join(",")}]`];
}

function ranges(digits: readonly string[]): readonly string[] {
  const sorted = [...digits].sort((a, b) => {
    const order = BigInt(a) - BigInt(b);
    return order === 0n ? a.length - b.length : order < 0n ? -1 : 1;
  });
  const found: { first: string; last: string }[] = [];
  for (const text of sorted) {
    const run = found.at(-1);
    if (run && follows(text, run.last)) run.last = text;
    else found.push({ first: text, last: text });
  }
  return found.map(({ first, last }) => (first === last ? first : `${first}-${last}`));
}

/** Whether a range may go on with it: `09` goes on with `10`, `9` does too, but not `09` with `9`. */
function follows(text: string, last: string): boolean {
  const next = (BigInt(last) + 1n).toString().padStart(last.length, "0");
  return text === next;
}
