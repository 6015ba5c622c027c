import { isDeepStrictEqual } from "node:util";
import { type TarEntry, TarReader } from "../../../src/oci/tar/reader.js";
import { memorySource } from "../../support/tar-members.js";
import type { Input, Target } from "../fuzz-case.js";
import { imageCodes, type Outcome, outcomeOf } from "../outcome.js";
import { layerSeeds } from "../seeds.js";

/** The tar reader, on archives in memory. */
export const tar: Target = {
  name: "tar",
  share: 38,
  reaches: ["an archive", "IMAGE_INVALID", "IMAGE_UNSUPPORTED"],
  seeds: Object.fromEntries(
    Object.entries(layerSeeds).map(([name, bytes]): [string, Input] => [
      name,
      { archive: { kind: "tar", bytes } },
    ]),
  ),
  run: ({ archive }, { dice }) => {
    const bytes = archive?.bytes ?? Buffer.alloc(0);
    const outcome = read(bytes, { piece: 512, skips: false });
    for (const entry of outcome.entries) checkEntry(entry);
    // Neither how the bytes come nor who reads the contents may make a difference.
    const again = read(bytes, { piece: 1 + dice.below(700), skips: dice.chance(0.5) });
    if (!isDeepStrictEqual(endOf(outcome), endOf(again))) {
      throw new Error(`${endOf(outcome)}, but read otherwise ${endOf(again)}`);
    }
    return outcome.end.ok ? "an archive" : outcome.end.refusal.code;
  },
};

interface Reading {
  readonly entries: readonly TarEntry[];
  readonly end: Outcome<void>;
}

function read(bytes: Buffer, how: { piece: number; skips: boolean }): Reading {
  const reader = new TarReader(memorySource(bytes, how.piece));
  const entries: TarEntry[] = [];
  const end = outcomeOf(() => {
    for (let entry = reader.next(); entry; entry = reader.next()) {
      entries.push(entry);
      if (how.skips) continue;
      let length = 0;
      for (let piece = reader.content(); piece.length > 0; piece = reader.content()) {
        length += piece.length;
      }
      if (length !== entry.size) throw new Error(`${length} bytes of ${entry.size}`);
    }
  }, imageCodes);
  return { entries, end };
}

function endOf({ entries, end }: Reading): string {
  return `${entries.length} entries and ${end.ok ? "the end" : end.refusal.message}`;
}

function checkEntry({ name, linkName, mode, uid, gid, size, mtime, xattrs }: TarEntry): void {
  const texts = [name, linkName, ...(xattrs ? [...xattrs.keys(), ...xattrs.values()] : [])];
  const areBytes = texts.every((text) => /^[\0-\xff]*$/.test(text));
  const hasNul = name.includes("\0") || linkName.includes("\0");
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1;
  const isSane = (mode & ~0o7777) === 0 && isId(uid) && isId(gid) && Number.isFinite(mtime);
  if (areBytes && !hasNul && isSane && Number.isSafeInteger(size) && size >= 0) return;
  throw new Error(
    `an impossible entry: ${JSON.stringify({ name, linkName, mode, uid, gid, size, mtime })}`,
  );
}
