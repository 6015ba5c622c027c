import { directory, file, hardLink, symlink, whiteout } from "../support/layers.js";
import type { AttackCase } from "./attack.js";

const up = "../../../../../../../..";

/** A link to `target`, and a file that lies below the link `by` a name and must be found at `to`. */
function through(
  target: string,
  { by, to }: { by: string; to: string },
): ReturnType<AttackCase[2]> {
  return {
    layers: [[symlink("link", target), file(`link/${by}`, "x")]],
    ends: { link: `-> ${target}`, [to]: "x" },
  };
}

/** Members whose names lead through symbolic links, of the same layer or of a lower one. */
export const linkAttacks: readonly AttackCase[] = [
  [
    "a file below a link of a lower layer",
    "CVE-2025-45582, GNU tar",
    ({ out, at }) => ({
      layers: [[symlink("l", out)], [file("l/f"), file("l/new"), file("l/dir/f")]],
      ends: {
        l: `-> ${out}`,
        [`${at}/f`]: "l/f",
        [`${at}/new`]: "l/new",
        [`${at}/dir/f`]: "l/dir/f",
      },
    }),
  ],
  [
    "a file below a link of a lower layer that climbs",
    "CVE-2025-45582, GNU tar",
    ({ out, at }) => ({
      layers: [[symlink("l", `${up}${out}`)], [file("l/f"), file("l/new")]],
      ends: { l: `-> ${up}${out}`, [`${at}/f`]: "l/f", [`${at}/new`]: "l/new" },
    }),
  ],
  [
    "a file below a link of the same layer",
    "CVE-2014-6407, docker",
    ({ out, at }) => ({
      layers: [[symlink("l", out), file("l/f")]],
      ends: { l: `-> ${out}`, [`${at}/f`]: "l/f" },
    }),
  ],
  [
    "a file below a link of the same layer that climbs",
    "docker, TestApplyLayerInvalidSymlink",
    () => through("../dir", { by: "f", to: "dir/f" }),
  ],
  [
    "a link to beside the tree, under a name that begins with the tree's",
    "CVE-2025-59343, tar-fs",
    () => through("../layer-0-beside", { by: "f", to: "layer-0-beside/f" }),
  ],
  [
    "a link to beside the rootfs, under a name that begins with the rootfs's",
    "CVE-2025-59343, tar-fs",
    () => ({
      layers: [[symlink("l", "../rootfs-beside")], [file("l/f")]],
      ends: { l: "-> ../rootfs-beside", "rootfs-beside/f": "l/f" },
    }),
  ],
  [
    "a link to ..",
    "umoci, TestUnpackEntrySymlinkScoping",
    () => through("..", { by: "f", to: "f" }),
  ],
  [
    "a link to ../..",
    "umoci, TestUnpackEntrySymlinkScoping",
    () => through("../..", { by: "f", to: "f" }),
  ],
  ["a link to .", "own", () => through(".", { by: "f", to: "f" })],
  [
    "a link with slashes to spare",
    "own",
    ({ out, at }) => through(`//${out}//`, { by: "f", to: `${at}/f` }),
  ],
  [
    "a link through /proc",
    "own",
    ({ out, at }) => through(`/proc/self/root${out}`, { by: "f", to: `proc/self/root/${at}/f` }),
  ],
  [
    "a file below an absolute link",
    "containerd, SymlinkAbsolute",
    ({ out, at }) => ({
      layers: [[directory(out), symlink("local", out), file("local/f", "unbroken")]],
      ends: { local: `-> ${out}`, [`${at}/f`]: "unbroken" },
    }),
  ],
  [
    "a file below a link that goes down and up again",
    "containerd, SymlinkUpAndOut",
    ({ out, at }) => ({
      layers: [[directory("dummy"), symlink("local", `/dummy/..${out}`), file("local/f", "x")]],
      ends: { dummy: "/", local: `-> /dummy/..${out}`, [`${at}/f`]: "x" },
    }),
  ],
  [
    "a file below an absolute link, to which another leads",
    "containerd, SymlinkMultipleAbsolute",
    ({ out, at }) => ({
      layers: [
        [symlink(`${at}/new`, `${out}/dir`), symlink("local", `${out}/new`), file("local/f", "x")],
      ],
      ends: { [`${at}/new`]: `-> ${out}/dir`, local: `-> ${out}/new`, [`${at}/dir/f`]: "x" },
    }),
  ],
  [
    "a file below an absolute link, to which a relative one leads",
    "containerd, SymlinkMultipleRelative",
    ({ out, at }) => ({
      layers: [[symlink("dummy/etc", out), symlink("local", "./dummy/etc"), file("local/f", "x")]],
      ends: { "dummy/etc": `-> ${out}`, local: "-> ./dummy/etc", [`${at}/f`]: "x" },
    }),
  ],
  [
    "an empty file below an absolute link",
    "containerd, SymlinkEmptyFile",
    ({ out, at }) => ({
      layers: [[file(`${at}/f`, "not empty"), symlink("local", out), file("local/f", "")]],
      ends: { local: `-> ${out}`, [`${at}/f`]: "" },
    }),
  ],
  [
    "links out that nothing is written through",
    "containerd, TestRelativeSymlinks",
    () => ({
      layers: [
        [
          symlink("home/derek/other", "../../../new"),
          symlink("breakout", "../../new"),
          symlink("home/breakout", "derek/../../../new"),
        ],
      ],
      ends: {
        "home/derek/other": "-> ../../../new",
        breakout: "-> ../../new",
        "home/breakout": "-> derek/../../../new",
      },
    }),
  ],
  [
    "a link made through another, so that it stands higher than it says",
    "bunkerweb, issue 3930",
    () => ({
      layers: [
        [directory("dir"), symlink("dir/up", ".."), symlink("dir/up/up2", ".."), file("up2/f")],
      ],
      ends: { "dir/up": "-> ..", up2: "-> ..", f: "up2/f" },
    }),
  ],
  [
    "a chain of links, the last of them out",
    "own",
    ({ out, at }) => ({
      layers: [
        [symlink("a", "b"), symlink("b", "c/d"), directory("c"), symlink("c/d", out)],
        [file("a/f"), whiteout("a/dir"), hardLink("a/h", "a/f")],
      ],
      ends: {
        a: "-> b",
        b: "-> c/d",
        "c/d": `-> ${out}`,
        [`${at}/f`]: "a/f",
        [`${at}/h`]: "a/f",
      },
    }),
  ],
  [
    "links whose .. means the target's parent, not the link's",
    "filepath-securejoin, TestNonLexical",
    ({ out, at }) => ({
      layers: [
        [
          directory(`${at}/dir/below`),
          symlink("subdir/link", `/${up}${out}/dir/below`),
          symlink("l", "subdir/link/.."),
          file("l/f"),
        ],
      ],
      ends: {
        [`${at}/dir/below`]: "/",
        [`${at}/dir/f`]: "l/f",
        "subdir/link": `-> /${up}${out}/dir/below`,
        l: "-> subdir/link/..",
      },
    }),
  ],
  [
    "links in a circle",
    "filepath-securejoin, TestSymlinkLoop",
    ({ out }) => ({
      layers: [[symlink("l", `${up}${out}/l`), symlink(`${out}/l`, `${out}/m/../l`), file("l/f")]],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "a link in a circle with itself, of a lower layer",
    "filepath-securejoin, TestSymlinkLoop",
    ({ out }) => ({
      layers: [[symlink(`${out}/self`, `/${up}${out}/self`)], [file(`${out}/self/f`)]],
      ends: "IMAGE_INVALID",
    }),
  ],
  [
    "a link to what lies below a file",
    "filepath-securejoin, TestEnotdir",
    ({ out, at }) => ({
      layers: [[file(`${at}/f`), symlink("link", `/${up}${out}/f/child`)], [file("link/f")]],
      ends: { link: `-> /${up}${out}/f/child`, [`${at}/f/child/f`]: "link/f" },
    }),
  ],
  [
    "a path that links make longer than the system allows, and then out",
    "CVE-2025-4517, Python's tarfile",
    longerThanAllowed,
  ],
];

/** Directories of long names below each other, and a short name for each: in short, out. */
function longerThanAllowed(): ReturnType<AttackCase[2]> {
  const long = "d".repeat(247);
  const steps = [..."abcdefghijklmnopq"];
  const populated = steps.flatMap((step, i) => {
    const parent = steps
      .slice(0, i)
      .map(() => `${long}/`)
      .join("");
    return [directory(parent + long), symlink(parent + step, long)];
  });
  const last = `${steps.join("/")}/${"l".repeat(254)}`;
  const climb = steps.map(() => "..").join("/");
  const bottom = steps.map(() => long).join("/");
  return {
    layers: [
      [...populated, symlink(last, climb), symlink("escape", `${last}/..`)],
      [file("escape/new")],
    ],
    ends: {
      ...Object.fromEntries(
        steps.map((step, i) => [`${`${long}/`.repeat(i)}${step}`, `-> ${long}`]),
      ),
      [`${bottom}/${"l".repeat(254)}`]: `-> ${climb}`,
      escape: `-> ${last}/..`,
      new: "escape/new",
    },
  };
}
