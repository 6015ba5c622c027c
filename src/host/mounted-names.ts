import { readFileSync } from "node:fs";
import { isWithin } from "./is-within.js";
import { nearestAbove, parseMountLine } from "./mount-of.js";

/**
 * All names by which this process can reach a directory: its own, and those that other mounts of
 * its file system give it or what is in it (bind mounts), by /proc/self/mountinfo (proc(5)). Its own
 * alone where that can't be read.
 * @param path without links
 */
export function mountedNames(path: string, read: () => string = readOwn): readonly string[] {
  const lines = read().split("\n").flatMap(parseMountLine);
  const own = nearestAbove(path, lines);
  if (!own) return [path];
  const inside = join(own.root, path.slice(own.disk.mountPoint.replace(/^\/$/, "").length));
  const names = lines
    .filter(({ device }) => device === own.device)
    .flatMap(({ root, disk: { mountPoint } }) => {
      if (isWithin(root, inside)) return [mountPoint];
      if (!isWithin(inside, root)) return [];
      return [join(mountPoint, inside.slice(root.replace(/^\/$/, "").length))];
    });
  return [...new Set([path, ...names])];
}

function join(directory: string, rest: string): string {
  return directory === "/" ? rest || "/" : directory + rest;
}

function readOwn(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "latin1");
  } catch {
    return "";
  }
}
