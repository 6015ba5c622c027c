import { createHash } from "node:crypto";
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { ByteString } from "../../src/host/byte-string.js";
import { pathBelow } from "../../src/host/byte-string.js";

/** Every path below `root`, in bytes, parents first. */
export function pathsBelow(root: string, path: ByteString = ""): ByteString[] {
  const entries = readdirSync(pathBelow(root, path), { encoding: "latin1", withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = path === "" ? entry.name : `${path}/${entry.name}`;
      return entry.isDirectory() ? [below, ...pathsBelow(root, below)] : [below];
    });
}

/** What a tree holds: `"/"` for a directory, `-> TARGET` for a symlink, the content of a file. */
export function contents(root: string): Record<ByteString, string> {
  return Object.fromEntries(
    pathsBelow(root).map((path) => {
      const target = pathBelow(root, path);
      return [path, contentOf(target, lstatSync(target, { bigint: true }))];
    }),
  );
}

/** {@link contents} without the directories that hold anything. */
export function leaves(root: string): Record<ByteString, string> {
  const found = Object.entries(contents(root));
  const parents = new Set(found.map(([path]) => path.slice(0, path.lastIndexOf("/"))));
  return Object.fromEntries(found.filter(([path]) => !parents.has(path)));
}

/** What {@link contents} says of one path. */
export function contentOf(path: string | Buffer, stat: BigIntStats): string {
  if (stat.isDirectory()) return "/";
  if (stat.isSymbolicLink()) return `-> ${readlinkSync(path, { encoding: "latin1" })}`;
  return readFileSync(path, "latin1");
}

/**
 * One line per path: name, mode, owner, time, content or the hash of a long one, and the other names
 * of the same file.
 */
export function listing(root: string): readonly string[] {
  const groups = new Map<string, ByteString[]>();
  const found = ["", ...pathsBelow(root)].map((path) => {
    const stat = lstatSync(pathBelow(root, path), { bigint: true });
    const id = `${stat.dev}:${stat.ino}`;
    groups.set(id, [...(groups.get(id) ?? []), path]);
    return { path, stat, id };
  });
  return found.map(({ path, stat, id }) => {
    const mode = stat.isSymbolicLink() ? "" : (stat.mode & 0o7777n).toString(8);
    const what = brief(contentOf(pathBelow(root, path), stat));
    const same = groups.get(id)?.filter((other) => other !== path) ?? [];
    const also = same.length > 0 ? ` = ${same.join(" ")}` : "";
    return `${path} ${mode} ${stat.uid}:${stat.gid} ${stat.mtimeNs} ${what}${also}`;
  });
}

function brief(content: string): string {
  if (content.length <= 200) return JSON.stringify(content);
  return `${content.length} bytes of ${createHash("sha256").update(content, "latin1").digest("hex")}`;
}

/** Permission bits with setuid, setgid and sticky, the last component not followed. */
export function modeOf(root: string, path: ByteString = ""): number {
  return lstatSync(pathBelow(root, path)).mode & 0o7777;
}

/** Seconds since 1970, to the microsecond, the last component not followed. */
export function mtimeOf(root: string, path: ByteString = ""): number {
  return Number(lstatSync(pathBelow(root, path), { bigint: true }).mtimeNs / 1000n) / 1e6;
}

export function inodeOf(root: string, path: ByteString): bigint {
  return lstatSync(pathBelow(root, path), { bigint: true }).ino;
}
