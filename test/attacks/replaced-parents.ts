import { directory, file, hardLink, opaque, symlink, whiteout } from "../support/layers.js";
import type { AttackCase } from "./attack.js";

/** Directories that turn into links, and links that turn into something else. */
export const replacedParentAttacks: readonly AttackCase[] = [
  [
    "a link in place of a directory, and then a file below",
    "CVE-2021-32803, node-tar",
    ({ out, at }) => ({
      layers: [[directory("d"), symlink("d", out), file("d/f")]],
      ends: { d: `-> ${out}`, [`${at}/f`]: "d/f" },
    }),
  ],
  [
    "a link in place of a directory whose mode and time are still to be set",
    "own",
    ({ out }) => ({
      layers: [
        [directory("d/e", { mode: 0o777, mtime: 7 }), symlink("d", `${out}/dir`)],
        [directory("g/h", { mode: 0o777, mtime: 7 })],
        [symlink("g", `${out}/dir`)],
      ],
      ends: { d: `-> ${out}/dir`, g: `-> ${out}/dir` },
    }),
  ],
  [
    "a link, and then mode and time for a directory of its name",
    "CVE-2026-33056, tar-rs",
    ({ out }) => ({
      layers: [[symlink("d", `${out}/dir`), directory("d", { mode: 0o777, mtime: 7 })]],
      ends: { d: "/" },
    }),
  ],
  [
    "a directory in place of a lower layer's link",
    "CVE-2026-33056, tar-rs",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/dir`)], [directory("l", { mode: 0o700, mtime: 7 })]],
      ends: { l: "/" },
    }),
  ],
  [
    "a directory through a link",
    "own",
    ({ out, at }) => ({
      layers: [[symlink("l", out)], [directory("l/dir", { mode: 0o700, mtime: 7 })]],
      ends: { l: `-> ${out}`, [`${at}/dir`]: "/" },
    }),
  ],
  [
    "a file in place of a link",
    "own",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/f`)], [file("l", "pwned", { mode: 0o777 })]],
      ends: { l: "pwned" },
    }),
  ],
  [
    "a file in place of a link of the same layer",
    "docker, TestApplyLayerInvalidSymlink",
    () => ({ layers: [[symlink("l", "../dir"), file("l", "pwned")]], ends: { l: "pwned" } }),
  ],
  [
    "a device in place of a link, and a fifo below",
    "own",
    ({ out }) => ({
      layers: [
        [symlink("l", `${out}/f`), symlink("m", `${out}/f`)],
        [
          { type: "3", name: "l" },
          { type: "3", name: "m" },
          { type: "6", name: "m/x" },
        ],
      ],
      ends: { m: "/" },
    }),
  ],
  [
    "a link in place of a lower layer's directory, and then a hard link below",
    "containerd, SymlinkOverrideDirectory",
    ({ out, at }) => ({
      layers: [
        [file(`${at}/f`, "inside"), directory("local")],
        [symlink("local", out), hardLink("local/h", `${out}/f`)],
      ],
      ends: { [`${at}/f`]: "inside", [`${at}/h`]: "inside", local: `-> ${out}` },
    }),
  ],
  [
    "a link that climbs in place of a lower layer's directory, and then a hard link below",
    "containerd, SymlinkOverrideDirectoryRelative",
    () => ({
      layers: [
        [file("etc/passwd", "inside"), directory("local")],
        [symlink("local", "../../etc"), hardLink("local/h", "etc/passwd")],
      ],
      ends: { "etc/passwd": "inside", "etc/h": "inside", local: "-> ../../etc" },
    }),
  ],
  [
    "a directory in place of a lower layer's link, and then a hard link below",
    "containerd, DirectoryOverrideSymlink",
    ({ out, at }) => ({
      layers: [
        [file(`${at}/f`, "inside"), symlink("local", out)],
        [directory("local"), hardLink("local/h", `${out}/f`)],
      ],
      ends: { [`${at}/f`]: "inside", "local/h": "inside" },
    }),
  ],
  [
    "a directory in place of a lower layer's link, and then a file for a hard link below",
    "containerd, DirectoryOverrideSymlinkAndHardlink",
    () => ({
      layers: [
        [file("etc/passwd", "in"), symlink("local", "etc"), hardLink("local/h", "etc/passwd")],
        [directory("local"), file("local/h", "different")],
      ],
      ends: { "etc/passwd": "in", "etc/h": "in", "local/h": "different" },
    }),
  ],
  [
    "a directory that turns into a link while the layer is added to it",
    "own",
    ({ out }) => ({
      layers: [
        [directory("b"), symlink("b/l", "../..")],
        [symlink("b/l/b", out), file("b/new"), file("b/z")],
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "the same, where the name exists outside and would be removed",
    "own",
    ({ out }) => ({
      layers: [
        [directory("b"), symlink("b/l", "../..")],
        [symlink("b/l/b", out), file("b/f"), file("b/z")],
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "the same, with a whole directory of the outside",
    "own",
    ({ out }) => ({
      layers: [
        [directory("b"), symlink("b/a", "../../")],
        [symlink("b/a/b", out), directory("b/dir", { mode: 0o777 }), file("b/dir/new")],
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "an ancestor that turns into a link",
    "own",
    ({ out }) => ({
      layers: [
        [directory("a/b/c"), symlink("a/b/c/l", "../../../..")],
        [symlink("a/b/c/l/a", out), directory("a/b/c/z", { mode: 0o777 }), file("a/b/c/z/f")],
      ],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "a directory whose mode and time would be set through a link",
    "own",
    ({ out }) => ({
      layers: [
        [directory("b", { mode: 0o777 }), symlink("b/l", "../..")],
        [directory("b", { mode: 0o777 }), symlink("b/l/b", `${out}/dir`)],
      ],
      ends: { b: `-> ${out}/dir` },
    }),
  ],
  [
    "a link that appears in place of a directory in the layer after",
    "own",
    ({ out, at }) => ({
      layers: [[file("d/f")], [symlink("d", out)], [file("d/f"), whiteout("d/dir"), opaque("d")]],
      ends: { d: `-> ${out}`, [`${at}/f`]: "d/f" },
    }),
  ],
  [
    "a link that takes a deleted directory's place",
    "own",
    ({ out, at }) => ({
      layers: [[file("d/e/f")], [whiteout("d")], [symlink("d", out)], [file("d/e/f", "x")]],
      ends: { d: `-> ${out}`, [`${at}/e/f`]: "x" },
    }),
  ],
  [
    "a hard link to a link, in place of a directory",
    "own",
    ({ out, at }) => ({
      layers: [[symlink("l", out), file("d/f")], [hardLink("d", "l")], [file("d/f", "x")]],
      ends: { l: `-> ${out}`, d: `-> ${out}`, [`${at}/f`]: "x" },
    }),
  ],
];
