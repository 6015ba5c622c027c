import { closeSync } from "node:fs";
import { within } from "../../errors.js";
import { bytesOfText, printable } from "../../host/byte-string.js";
import { openRegularFile, readFully, type Span } from "../../host/span.js";
import { checkLimit, defaultLimits, type Limits } from "../limits.js";
import { type TarEntry, TarReader, type TarSource } from "../tar/reader.js";
import type { Bundle } from "./bundle.js";
import { lookUp, type Member, normalizeMemberName, symlinkTarget } from "./member-name.js";

/**
 * An uncompressed tar archive as a bundle. Only its headers are read, by seeking from one to the
 * next.
 * @throws StageError NOT_FOUND, PERMISSION, IMAGE_INVALID
 */
export function openTarFile(path: string, limits: Limits = defaultLimits): Bundle {
  const label = printable(path);
  const members = new Map<string, Member<Span>>();
  const { fd, size } = openRegularFile(path);
  try {
    const source = seekingSource(fd, size);
    const reader = new TarReader(source);
    for (let entry = reader.next(), count = 1; entry; entry = reader.next(), count++) {
      checkLimit(limits, { name: "entries", value: count, place: () => "the archive" });
      const name = normalizeMemberName(entry.name);
      const member = memberOf(entry, { path, position: source.position });
      if (name !== undefined && member) members.set(name, member);
    }
  } catch (error) {
    throw within(label, error);
  } finally {
    closeSync(fd);
  }
  // The archive's names are bytes, those asked for are text.
  return { label, limits, find: (name) => lookUp(members, bytesOfText(name)) };
}

function memberOf(
  entry: TarEntry,
  at: { path: string; position: number },
): Member<Span> | undefined {
  if (entry.type === "file") {
    return { kind: "content", content: { path: at.path, offset: at.position, size: entry.size } };
  }
  const target = linkTargetOf(entry);
  return target === undefined ? undefined : { kind: "link", target };
}

function linkTargetOf({ type, name, linkName }: TarEntry): string | undefined {
  if (type === "hardlink") return normalizeMemberName(linkName);
  return type === "symlink" ? symlinkTarget(name, linkName) : undefined;
}

function seekingSource(fd: number, size: number): TarSource & { readonly position: number } {
  let position = 0;
  const read = (length: number) => {
    const bytes = Buffer.allocUnsafe(Math.min(length, size - position));
    const filled = readFully(fd, bytes, position);
    position += filled;
    return bytes.subarray(0, filled);
  };
  return {
    get position() {
      return position;
    },
    read,
    readSome: read,
    skip(length) {
      const skipped = Math.min(length, size - position);
      position += skipped;
      return skipped;
    },
  };
}
