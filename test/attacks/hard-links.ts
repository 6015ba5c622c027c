import { directory, file, hardLink, type LayerEntry, symlink } from "../support/layers.js";
import { archiveOf, headerBlock, member } from "../support/tar-blocks.js";
import type { AttackCase } from "./attack.js";

const up = "../../../../../../../../..";

/** Entries that must be refused as a layer of their own, and as one upon another. */
function refused(...entries: readonly LayerEntry[]): ReturnType<AttackCase[2]> {
  return { layers: [[file("x")], entries], ends: "IMAGE_INVALID" };
}

/** What of a hard link's header is another file's, mode and time. */
function hardLinkWith(name: string, linkName: string): LayerEntry {
  return { type: "1", name, linkName, mode: 0o6777, uid: 4321, gid: 4321, mtime: 7 };
}

/** Hard links to what lies outside, and members that are written through one. */
export const hardLinkAttacks: readonly AttackCase[] = [
  [
    "to a name that climbs",
    "docker, TestApplyLayerInvalidHardlink",
    () => refused(hardLink("h", "../f")),
  ],
  [
    "to a name that climbs after a slash",
    "docker, TestApplyLayerInvalidHardlink",
    ({ out }) => refused(hardLink("h", `/..${out}/f`)),
  ],
  [
    "to a directory outside, and a file below it",
    "docker, TestApplyLayerInvalidHardlink",
    () => refused(hardLink("h", "../dir"), file("h/f")),
  ],
  [
    "to a directory outside, and a link to a file below it",
    "docker, TestApplyLayerInvalidHardlink",
    () => refused(hardLink("h", "../dir"), hardLink("g", "h/f")),
  ],
  [
    "to a directory outside, and a file in place of it",
    "docker, TestApplyLayerInvalidHardlink",
    () => refused(hardLink("h", "../dir"), file("h")),
  ],
  [
    "to a name that climbs from the host's root",
    "containerd, HardlinkDirectRelative",
    ({ out }) => refused(hardLink("h", `${up}${out}/etc/passwd`)),
  ],
  [
    "to a name that climbs as far as the link's own lies deep",
    "CVE-2026-24842, node-tar",
    () => refused(hardLink("a/b/x", "../../etc/passwd")),
  ],
  [
    "to a name with a drive letter before ..",
    "CVE-2026-29786, node-tar",
    () => refused(hardLink("l", "C:../f")),
  ],
  [
    "to an absolute name",
    "CVE-2026-23745, node-tar",
    ({ out }) => refused(hardLink("h", `${out}/etc/passwd`)),
  ],
  [
    "to a file of the working directory of whoever unpacks",
    "CVE-2026-50163, oras-go",
    () => refused(hardLink("h", "f")),
  ],
  [
    "to an absolute name, and a file of the same name",
    "CVE-2018-20834, node-tar",
    ({ out }) => ({
      layers: [[hardLink("h", `${out}/f`), file("h", "pwned")]],
      ends: { h: "pwned" },
    }),
  ],
  [
    "to an absolute name, and a file of the same name in the next layer",
    "CVE-2018-20835, tar-fs",
    ({ out }) => ({
      layers: [[hardLink("h", `${out}/f`)], [file("h", "pwned")]],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "to an absolute name, with mode, owner and time for the file",
    "CVE-2026-42497, Archive::Tar",
    ({ out }) => refused(hardLinkWith("h", `${out}/f`)),
  ],
  [
    "to a link to an absolute name, with mode, owner and time for the file",
    "CVE-2021-32760, containerd",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/f`), hardLinkWith("h", "l")]],
      ends: { l: `-> ${out}/f`, h: `-> ${out}/f` },
    }),
  ],
  [
    "to a link of a lower layer, with mode, owner and time for the file",
    "CPython, issue 157190",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/f`)], [hardLinkWith("h", "l")]],
      ends: { l: `-> ${out}/f`, h: `-> ${out}/f` },
    }),
  ],
  [
    "under an absolute name, to an absolute link",
    "containerd, HardlinkSymlinkChmod",
    ({ out, at }) => ({
      layers: [[symlink(`${out}/new`, `${out}/f`), hardLinkWith("sketchy", `${out}/new`)]],
      ends: { [`${at}/new`]: `-> ${out}/f`, sketchy: `-> ${out}/f` },
    }),
  ],
  [
    "to a file below a link that climbs",
    "containerd, HardlinkRelative",
    () => ({
      layers: [
        [file("etc/passwd", "inside"), symlink("b/d", "../../etc"), hardLink("b/h", "b/d/passwd")],
      ],
      ends: { "etc/passwd": "inside", "b/d": "-> ../../etc", "b/h": "inside" },
    }),
  ],
  [
    "to a file below a link that goes down and climbs",
    "containerd, HardlinkDownAndOut",
    () => ({
      layers: [
        [
          file("etc/passwd", "inside"),
          directory("down"),
          symlink("b/d", "../down/../../etc"),
          hardLink("b/h", "b/d/passwd"),
        ],
      ],
      ends: { "etc/passwd": "inside", down: "/", "b/d": "-> ../down/../../etc", "b/h": "inside" },
    }),
  ],
  [
    "to a file below an absolute link",
    "containerd, HardlinkAbsolute",
    ({ out, at }) => ({
      layers: [[file(`${out}/f`, "inside"), symlink("l", out), hardLink("h", "l/f")]],
      ends: { [`${at}/f`]: "inside", l: `-> ${out}`, h: "inside" },
    }),
  ],
  [
    "to a file below a link that climbs far",
    "containerd, HardlinkRelativeLong",
    ({ out, at }) => ({
      layers: [[file(`${out}/f`, "inside"), symlink("l", `${up}${out}`), hardLink("h", "l/f")]],
      ends: { [`${at}/f`]: "inside", l: `-> ${up}${out}`, h: "inside" },
    }),
  ],
  [
    "to a file below a link that climbs from where nothing is",
    "containerd, HardlinkRelativeUpAndOut",
    () => ({
      layers: [
        [file("etc/passwd", "inside"), symlink("l", "no/../../../etc"), hardLink("h", "l/passwd")],
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "to a file that is there, by its absolute name",
    "containerd, HardlinkDirectAbsolute",
    ({ out, at }) => ({
      layers: [[file(`${at}/f`, "inside"), hardLink("h", `${out}/f`)]],
      ends: { [`${at}/f`]: "inside", h: "inside" },
    }),
  ],
  [
    "to a link that climbs",
    "containerd, HardlinkSymlinkRelative",
    ({ out, at }) => ({
      layers: [[file(`${at}/f`, "in"), symlink("l", `${up}${out}/f`), hardLink("h", "l")]],
      ends: { [`${at}/f`]: "in", l: `-> ${up}${out}/f`, h: `-> ${up}${out}/f` },
    }),
  ],
  [
    "to an absolute link",
    "containerd, HardlinkSymlinkAbsolute",
    ({ out, at }) => ({
      layers: [[file(`${at}/f`, "in"), symlink("l", `${out}/f`), hardLink("h", "l")]],
      ends: { [`${at}/f`]: "in", l: `-> ${out}/f`, h: `-> ${out}/f` },
    }),
  ],
  [
    "to an absolute link whose target comes later",
    "containerd, HardlinkSymlinkBeforeCreateTarget",
    ({ out, at }) => ({
      layers: [[symlink("l", `${out}/f`), hardLink("h", "l"), file(`${out}/f`, "after")]],
      ends: { l: `-> ${out}/f`, h: `-> ${out}/f`, [`${at}/f`]: "after" },
    }),
  ],
  [
    "to a link that climbs, by a name that climbs",
    "umoci, TestUnpackHardlink",
    () => refused(symlink("l", "../../f"), hardLink("h", "../../l")),
  ],
  [
    "through links that climb farther than they say",
    "CVE-2026-26960, node-tar",
    () =>
      refused(
        symlink("a/b/c/up", "../.."),
        symlink("a/b/escape", "c/up/../.."),
        hardLink("exfil", "a/b/escape/f"),
      ),
  ],
  [
    "to a file below a link of a lower layer",
    "CVE-2025-48387, tar-fs",
    ({ out }) => ({ layers: [[symlink("l", out)], [hardLink("h", "l/f")]], ends: "IMAGE_INVALID" }),
  ],
  [
    "to a file below a link of the same layer",
    "CVE-2025-48387, tar-fs",
    ({ out }) => refused(symlink("l", out), hardLink("h", "l/f")),
  ],
  [
    "whose own names lie below a link of a lower layer",
    "own",
    ({ out, at }) => ({
      layers: [
        [file("x"), symlink("l", out)],
        [hardLink("l/f", "x"), hardLink("l/new", "x")],
      ],
      ends: { x: "x", l: `-> ${out}`, [`${at}/f`]: "x", [`${at}/new`]: "x" },
    }),
  ],
  [
    "to a link of a lower layer, and then content for it",
    "CVE-2018-20990, tar-rs",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/f`)], [hardLink("h", "l"), file("h", "pwned")]],
      ends: { l: `-> ${out}/f`, h: "pwned" },
    }),
  ],
  [
    "to a link of the same layer, and then content for it",
    "CVE-2018-20990, tar-rs",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/f`), hardLink("h", "l"), file("h", "pwned")]],
      ends: { l: `-> ${out}/f`, h: "pwned" },
    }),
  ],
  [
    "to a link to a directory, and then what lies below",
    "own",
    ({ out, at }) => ({
      layers: [[symlink("l", out), hardLink("h", "l"), file("h/f", "pwned"), file("h/new")]],
      ends: { l: `-> ${out}`, h: `-> ${out}`, [`${at}/f`]: "pwned", [`${at}/new`]: "h/new" },
    }),
  ],
  [
    "with content, which overwrites what they are links to",
    "CVE-2016-5418, libarchive",
    ({ out }) => ({
      layers: [
        archiveOf(
          headerBlock({ type: "2", name: "l", linkName: `${out}/f` }),
          member({ type: "1", name: "h", linkName: "l" }, "pwned"),
        ),
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
];
