import type { ByteString } from "../../src/host/byte-string.js";
import { directory, file, hardLink, type LayerEntry, opaque, symlink, whiteout } from "./layers.js";

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const targets = [
  "a",
  "b",
  "/c",
  "/a/x",
  "../b",
  "../../c",
  "x",
  "./y",
  "/",
  ".",
  "..",
  "nowhere/z",
];

/**
 * One layer's entries, in any order: no path twice, and nothing below what is no directory.
 * @param lower paths of files that lower layers have, for hard links to them
 */
export function randomLayer(
  random: () => number,
  lower: readonly ByteString[],
): readonly LayerEntry[] {
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)];
  const path = () => {
    const depth = 1 + Math.floor(random() * 3);
    const levels = ["abc", "xyz", "mn"].slice(0, depth);
    return levels.map((names) => pick([...names]) ?? "").join("/");
  };
  const entries = new Map<ByteString, LayerEntry>();
  const isFree = (name: ByteString, isDirectory: boolean) => {
    for (const [other, { type }] of entries) {
      if (other === name) return false;
      if (type !== "5" && !isMarker(other) && name.startsWith(`${other}/`)) return false;
      if (!isDirectory && other.startsWith(`${name}/`) && !isMarker(other)) return false;
    }
    return true;
  };
  const count = 1 + Math.floor(random() * 8);
  for (let i = 0; i < count; i++) {
    const name = path();
    const details = {
      mode: pick([0o644, 0o600, 0o755]) ?? 0o644,
      mtime: Math.floor(random() * 1e6),
    };
    const kind = random();
    const content = `${name}#${Math.floor(random() * 1e6)}`;
    const own = [...entries.values()].filter((e) => e.type === "0" && !isMarker(e.name));
    const known = [...lower, ...own.map((e) => e.name)].filter((other) => other !== name);
    const made =
      kind < 0.35
        ? file(name, content, details)
        : kind < 0.55
          ? directory(name, { mode: pick([0o755, 0o700, 0o711]) ?? 0o755, mtime: details.mtime })
          : kind < 0.7
            ? symlink(name, pick(targets) ?? "a", { mtime: details.mtime })
            : kind < 0.8
              ? hardLink(name, pick(known) ?? "c/nothing")
              : kind < 0.93
                ? whiteout(name)
                : opaque(random() < 0.1 ? "" : name);
    if (isFree(made.name, made.type === "5" || isMarker(made.name))) entries.set(made.name, made);
  }
  const list = [...entries.values()];
  return random() < 0.5 ? list : list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isMarker(name: ByteString): boolean {
  return name.slice(name.lastIndexOf("/") + 1).startsWith(".wh.");
}
