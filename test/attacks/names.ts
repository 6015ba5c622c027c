import { directory, file, hardLink, type LayerEntry, symlink } from "../support/layers.js";
import type { AttackCase } from "./attack.js";

const up = "../../../../../../../../..";

function refused(entry: LayerEntry): ReturnType<AttackCase[2]> {
  return { layers: [[file("f"), entry]], ends: "IMAGE_INVALID" };
}

/** Members whose own names lead out, or mean the root itself, or look like another's. */
export const nameAttacks: readonly AttackCase[] = [
  ["a name that climbs", "docker, TestApplyLayerInvalidFilenames", () => refused(file("../f"))],
  [
    "a name that climbs after a slash",
    "docker, TestApplyLayerInvalidFilenames",
    ({ out }) => refused(file(`/..${out}/f`)),
  ],
  [
    "a name that climbs to the host's root",
    "CVE-2007-4559, Python's tarfile",
    ({ out }) => refused(file(`${up}${out}/etc/passwd`)),
  ],
  [
    "a name that climbs to the host's root after a slash",
    "umoci, TestUnpackEntrySanitiseScoping",
    ({ out }) => refused(file(`/${up}${out}/f`)),
  ],
  [
    "a link whose name climbs out of a directory of the archive",
    "CPython, test_sly_relative2",
    () => refused(symlink("dir/../../l", "dir/../..//dir/l")),
  ],
  [
    "a name that leaves the tree and comes back",
    "CPython, issue 155999",
    () => refused(file("../layer-0/f")),
  ],
  [
    "a link called ..",
    "containerd, SymlinkParentDirectory",
    ({ out }) => refused(symlink("..", out)),
  ],
  [
    "a link whose name ends with ..",
    "containerd, SymlinkParentRelative",
    ({ out }) => refused(symlink("l/sub/..", out)),
  ],
  [
    "a link without a name",
    "containerd, SymlinkEmptyFilename",
    ({ out }) => refused(symlink("", out)),
  ],
  [
    "links without a name, one through another",
    "CPython, issue 149486",
    ({ out }) => ({
      layers: [[symlink("", out), symlink("x", ".."), file("f")]],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "a link in place of the root, as .",
    "CVE-2021-29136, umoci",
    ({ out }) => refused(symlink(".", out)),
  ],
  [
    "a link in place of the root, as .//.",
    "CVE-2021-29136, umoci",
    ({ out }) => refused(symlink(".//.", out)),
  ],
  [
    "a link in place of the root, as ./",
    "CVE-2021-29136, umoci",
    ({ out }) => refused(symlink("./", out)),
  ],
  [
    "a link in place of the root, in an upper layer",
    "CVE-2021-29136, umoci",
    ({ out }) => ({
      layers: [[file("f")], [symlink(".", out)], [file("f", "upper")]],
      ends: "IMAGE_INVALID",
    }),
  ],
  ["a file in place of the root", "own", () => refused(file(".", "x"))],
  ["a hard link in place of the root", "own", () => refused(hardLink(".", "f"))],
  ["a device in place of the root", "own", () => refused({ type: "4", name: "." })],
  [
    "a device in place of a device",
    "own",
    () => ({
      layers: [
        [
          { type: "3", name: "d" },
          { type: "4", name: "d" },
        ],
      ],
      ends: {},
    }),
  ],
  [
    "an absolute name",
    "own",
    ({ out, at }) => ({
      layers: [[file(`${out}/f`), directory(`${out}/dir`, { mode: 0o777, mtime: 7 })]],
      ends: { [`${at}/f`]: `${out}/f`, [`${at}/dir`]: "/" },
    }),
  ],
  [
    "an absolute name with slashes to spare",
    "CVE-2021-32804, node-tar",
    ({ out, at }) => ({
      layers: [[file(`///${out}/f`), symlink(`//./${out}/l`, out)]],
      ends: { [`${at}/f`]: `///${out}/f`, [`${at}/l`]: `-> ${out}` },
    }),
  ],
  [
    "a name that climbs with backslashes",
    "go-containerregistry, issue 2329",
    () => ({ layers: [[file("..\\..\\f")]], ends: { "..\\..\\f": "..\\..\\f" } }),
  ],
  [
    "a name with a drive letter before ..",
    "CVE-2021-37713, node-tar",
    () => ({ layers: [[file("C:../f")]], ends: { "C:../f": "C:../f" } }),
  ],
  [
    "a link for a directory under a name with a backslash",
    "CVE-2021-37701, node-tar",
    ({ out }) => ({
      layers: [[directory("a/b"), symlink("a\\b", out), file("a/b/f")]],
      ends: { "a\\b": `-> ${out}`, "a/b/f": "a/b/f" },
    }),
  ],
  [
    "a link for a directory under a name in another case",
    "CVE-2021-37701, node-tar",
    ({ out }) => ({
      layers: [[directory("FOO"), symlink("foo", out), file("FOO/f")]],
      ends: { foo: `-> ${out}`, "FOO/f": "FOO/f" },
    }),
  ],
  [
    "a link for a directory under a name that Unicode takes for equal",
    "CVE-2021-37712, node-tar",
    ({ out }) => ({
      layers: [
        [
          directory("caf\xc3\xa9"),
          directory("cafe\xcc\x81"),
          symlink("caf\xc3\xa9", out),
          file("cafe\xcc\x81/f", "x"),
        ],
      ],
      ends: { "caf\xc3\xa9": `-> ${out}`, "cafe\xcc\x81/f": "x" },
    }),
  ],
  [
    "a link for a directory under a name that folds to the same letters",
    "CVE-2026-23950, node-tar",
    ({ out }) => ({
      layers: [[directory("ss"), symlink("\xc3\x9f", out), file("ss/f")]],
      ends: { "\xc3\x9f": `-> ${out}`, "ss/f": "ss/f" },
    }),
  ],
  [
    "names that only look like ..",
    "filepath-securejoin, TestHasDotDot",
    () => ({
      layers: [[file(".../f"), file("..x/f"), file("x../f"), file(".. /f")]],
      ends: { ".../f": ".../f", "..x/f": "..x/f", "x../f": "x../f", ".. /f": ".. /f" },
    }),
  ],
];
