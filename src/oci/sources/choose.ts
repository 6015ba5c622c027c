import { StageError } from "../../errors.js";
import { printable } from "../../host/byte-string.js";

/** One of several images in a container, for choosing among them. */
export interface Candidate<Value> {
  readonly value: Value;
  /** Equal for two entries that are the same image. */
  readonly identity: string;
  readonly names: readonly string[];
  /** What tells it from others of the same name; undefined where the container does not say. */
  readonly platform?: string | undefined;
}

/**
 * The images that `choice` names: a name, `@N` for the Nth from 0, or undefined for the only one.
 * More than one value comes back only where they are the platforms of one image: of the same names,
 * each for another platform.
 * @throws StageError NOT_FOUND, REFERENCE_AMBIGUOUS, IMAGE_INVALID
 */
export function chooseByName<Value>(
  candidates: readonly Candidate<Value>[],
  options: { label: string; choice: string | undefined },
): [Value, ...Value[]] {
  const { label, choice } = options;
  if (candidates.length === 0) throw new StageError("IMAGE_INVALID", `${label} holds no image`);
  const matching = choice === undefined ? candidates : named(candidates, choice);
  const distinct = [...new Map(matching.map((c) => [c.identity, c])).values()];
  const [first, ...others] = distinct;
  if (!first) {
    throw new StageError("NOT_FOUND", `${label} holds no image "${printable(choice ?? "")}"`, {
      hint: `it holds ${listing(candidates)}`,
    });
  }
  const sameNames = (c: Candidate<Value>) => c.names.join("\n") === first.names.join("\n");
  const isOneName = choice !== undefined || others.every(sameNames);
  if (!isOneName || !isOnePerPlatform(distinct)) {
    const called = choice === undefined ? "" : ` called "${printable(choice)}"`;
    throw new StageError("REFERENCE_AMBIGUOUS", `${label} holds several images${called}`, {
      hint: `choose one by adding :NAME or :@N; it holds ${listing(candidates)}`,
    });
  }
  return [first.value, ...others.map((c) => c.value)];
}

function isOnePerPlatform(candidates: readonly Candidate<unknown>[]): boolean {
  if (candidates.length === 1) return true;
  const platforms = new Set(candidates.map((c) => c.platform));
  return platforms.size === candidates.length && !platforms.has(undefined);
}

function named<Value>(
  candidates: readonly Candidate<Value>[],
  choice: string,
): readonly Candidate<Value>[] {
  const byPosition = /^@(\d+)$/.exec(choice);
  if (byPosition) return candidates.slice(Number(byPosition[1])).slice(0, 1);
  const exact = candidates.filter((c) => c.names.includes(choice));
  if (exact.length > 0) return exact;
  const wanted = familiarName(choice);
  return candidates.filter((c) => c.names.some((name) => familiarName(name) === wanted));
}

/** `docker.io/library/x` is `x`, and a name without a tag means `latest`. */
function familiarName(name: string): string {
  const short = name.replace(/^(?:docker\.io\/)?(?:library\/)?/, "");
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`;
}

function listing(candidates: readonly Candidate<unknown>[]): string {
  const shown = candidates.slice(0, 20).map(({ names }, i) => {
    const name = names.length > 0 ? names.map(printable).join(" = ") : "without a name";
    return `@${i} (${name})`;
  });
  const more = candidates.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
