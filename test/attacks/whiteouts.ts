import {
  directory,
  file,
  hardLink,
  type LayerEntry,
  opaque,
  symlink,
  whiteout,
} from "../support/layers.js";
import type { AttackCase } from "./attack.js";

const base = [directory("etc"), file("etc/passwd", "inside")];
const untouched = { "etc/passwd": "inside" };

function upon(lower: readonly LayerEntry[], ...upper: readonly LayerEntry[]) {
  return { layers: [[...base, ...lower], upper] };
}

/** Markers that would delete what lies outside, or the rootfs itself. */
export const whiteoutAttacks: readonly AttackCase[] = [
  [
    "of the root's parent",
    "containerd, WhiteoutRootParent",
    () => ({ ...upon([], file(".wh...", "")), ends: "IMAGE_INVALID" }),
  ],
  [
    "of a directory's parent",
    "containerd, WhiteoutParent",
    () => ({ ...upon([], file("etc/.wh...", "")), ends: "IMAGE_INVALID" }),
  ],
  [
    "of the root",
    "containerd, WhiteoutRoot",
    () => ({ ...upon([], file(".wh..", "")), ends: "IMAGE_INVALID" }),
  ],
  [
    "of the directory that it stands in",
    "containerd, WhiteoutCurrentDirectory",
    () => ({ ...upon([], file("etc/.wh..", "")), ends: "IMAGE_INVALID" }),
  ],
  ["of nothing", "own", () => ({ ...upon([], file("etc/.wh.", "")), ends: "IMAGE_INVALID" })],
  [
    "of an absolute link",
    "containerd, WhiteoutSymlink",
    ({ out }) => ({ ...upon([symlink("l", out)], whiteout("l")), ends: untouched }),
  ],
  [
    "below an absolute link whose target is in the rootfs too",
    "containerd, WhiteoutSymlinkPath",
    ({ out, at }) => ({
      ...upon([file(`${at}/f`), file(`${at}/g`), symlink("l", out)], whiteout("l/f")),
      ends: { ...untouched, l: `-> ${out}`, [`${at}/g`]: `${at}/g` },
    }),
  ],
  [
    "as a directory, with a file in it",
    "containerd, WhiteoutDirectoryName",
    () => ({ ...upon([], file(".wh.etc/somefile")), ends: "IMAGE_INVALID" }),
  ],
  [
    "below a link to nowhere",
    "containerd, WhiteoutDeadSymlinkParent",
    ({ out }) => ({
      ...upon([symlink("l", `${out}/dir`)], whiteout("l/f")),
      ends: { ...untouched, l: `-> ${out}/dir` },
    }),
  ],
  [
    "with .. in its name",
    "containerd, WhiteoutRelativePath",
    () => ({ ...upon([], file("dne/../.wh.etc", "")), ends: "IMAGE_INVALID" }),
  ],
  [
    "below an absolute link",
    "own",
    ({ out }) => ({
      ...upon([symlink("l", out)], whiteout("l/f"), whiteout("l/dir"), whiteout("l/dir/f")),
      ends: { ...untouched, l: `-> ${out}` },
    }),
  ],
  [
    "below an absolute link of the same layer",
    "own",
    ({ out }) => ({
      ...upon([file("l/f")], symlink("l", out), whiteout("l/f")),
      ends: { ...untouched, l: `-> ${out}` },
    }),
  ],
  [
    "below a directory that takes an absolute link's place",
    "own",
    ({ out, at }) => ({
      ...upon([symlink("l", out), file(`${at}/f`)], directory("l"), whiteout("l/f")),
      ends: { ...untouched, l: "/", [`${at}/f`]: `${at}/f` },
    }),
  ],
  [
    "by an absolute name",
    "own",
    ({ out, at }) => ({
      ...upon([file(`${at}/f`), file(`${at}/g`)], whiteout(`${out}/f`)),
      ends: { ...untouched, [`${at}/g`]: `${at}/g` },
    }),
  ],
  [
    "below links in a circle",
    "own",
    () => ({
      ...upon([symlink("a", "b"), symlink("b", "a")], whiteout("a/f")),
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "that is itself a link",
    "own",
    ({ out }) => ({
      ...upon([file("etc/hidden")], symlink("etc/.wh.hidden", `${out}/f`)),
      ends: untouched,
    }),
  ],
  [
    "that is itself a hard link",
    "own",
    ({ out }) => ({
      ...upon([file("etc/hidden")], hardLink("etc/.wh.hidden", `${out}/f`)),
      ends: untouched,
    }),
  ],
  [
    "that is opaque, below an absolute link",
    "own",
    ({ out }) => ({
      ...upon([symlink("l", out)], opaque("l"), opaque("l/dir")),
      ends: { ...untouched, l: `-> ${out}` },
    }),
  ],
  [
    "that is opaque, below an absolute link of the same layer",
    "own",
    ({ out }) => ({
      ...upon([file("l/f")], symlink("l", out), opaque("l"), opaque("l/dir")),
      ends: { ...untouched, l: `-> ${out}` },
    }),
  ],
  [
    "that is opaque, at a link that climbs out",
    "own",
    () => ({ ...upon([symlink("l", "../..")], opaque("l"), file("f")), ends: { f: "f" } }),
  ],
  [
    "that is opaque and itself a link",
    "own",
    ({ out }) => ({
      ...upon([file("d/f")], symlink("d/.wh..wh..opq", out), file("d/g")),
      ends: { ...untouched, "d/g": "d/g" },
    }),
  ],
  [
    "in AUFS's own directory, and a hard link to what is there",
    "own",
    () => ({
      ...upon([], file(".wh..wh.plnk/1.2", "x"), hardLink("h", ".wh..wh.plnk/1.2")),
      ends: "IMAGE_INVALID",
    }),
  ],
];
