import { directory, file, symlink } from "../support/layers.js";
import type { AttackCase } from "./attack.js";

const up = "../../../../../../../..";

/** Images that have links where mount points are made. */
export const mountPointAttacks: readonly AttackCase[] = [
  [
    "where /dev is an absolute link",
    "CVE-2026-41579, runc",
    ({ out }) => ({
      layers: [[symlink("dev", out)]],
      mounts: ["/dev:dir", "/dev/ptmx:file"],
      ends: { "dev/ptmx": "" },
    }),
  ],
  [
    "where /dev is a link that climbs, and its target is in the rootfs too",
    "CVE-2026-41579, runc",
    ({ out, at }) => ({
      layers: [[symlink("dev", `${up}${out}`), directory(at)]],
      mounts: ["/dev:dir", "/dev/ptmx:file"],
      ends: { dev: `-> ${up}${out}`, [`${at}/ptmx`]: "" },
    }),
  ],
  [
    "where /proc is a link into the image's own directories",
    "CVE-2019-19921, runc",
    ({ out, at }) => ({
      layers: [[symlink("proc", `${out}/dir`), directory(`${at}/dir/level2`)]],
      mounts: ["/proc:dir", "/proc/sys:dir"],
      ends: { proc: `-> ${out}/dir`, [`${at}/dir/level2`]: "/", [`${at}/dir/sys`]: "/" },
    }),
  ],
  [
    "where /proc and /sys are links out",
    "CVE-2023-27561, runc",
    ({ out }) => ({
      layers: [[symlink("proc", out), symlink("sys", `${out}/dir`)]],
      mounts: ["/proc:dir", "/sys:dir"],
      ends: { proc: "/", sys: "/" },
    }),
  ],
  [
    "where /proc has files of the image",
    "CVE-2019-16884, runc",
    ({ out }) => ({
      layers: [[file("proc/self/attr/exec", "x"), symlink("proc/self/fd", out)]],
      mounts: ["/proc:dir"],
      ends: { "proc/self/attr/exec": "x", "proc/self/fd": `-> ${out}` },
    }),
  ],
  [
    "where /etc/passwd is a link out",
    "CVE-2024-9676, containers/storage",
    ({ out }) => ({
      layers: [[symlink("etc/passwd", `${out}/etc/passwd`)]],
      mounts: ["/etc/passwd:file"],
      ends: { "etc/passwd": "" },
    }),
  ],
  [
    "where /etc/passwd leads to a fifo that was not made",
    "CVE-2024-9676, containers/storage",
    () => ({
      layers: [[symlink("etc/passwd", "pipe"), { type: "6", name: "etc/pipe" }]],
      mounts: ["/etc/passwd:file"],
      ends: { "etc/passwd": "" },
    }),
  ],
  [
    "where /etc is a link out",
    "own",
    ({ out }) => ({
      layers: [[symlink("etc", `${out}/etc`)]],
      mounts: ["/etc/passwd:file", "/etc/new:file"],
      ends: { "etc/new": "", "etc/passwd": "" },
    }),
  ],
  [
    "below a link that climbs from /var",
    "own",
    ({ out }) => ({
      layers: [[symlink("var/run", `${up}${out}/dir`)]],
      mounts: ["/var/run/below:dir", "/var/run/new/f:file"],
      ends: { "var/run/below": "/", "var/run/new/f": "" },
    }),
  ],
  [
    "below an absolute link whose target is in the rootfs too",
    "own",
    ({ out, at }) => ({
      layers: [[symlink("var/run", `${out}/dir`), directory(`${at}/dir`)]],
      mounts: ["/var/run/below:dir", "/var/run/f:file"],
      ends: { "var/run": `-> ${out}/dir`, [`${at}/dir/below`]: "/", [`${at}/dir/f`]: "" },
    }),
  ],
  [
    "at a link that climbs out",
    "CVE-2024-1753, buildah",
    () => ({ layers: [[symlink("l", "../..")]], mounts: ["/l:dir"], ends: { l: "/" } }),
  ],
  [
    "below a link that climbs",
    "CVE-2024-1753, buildah",
    () => ({
      layers: [[symlink("l", "../..")]],
      mounts: ["/l/new:dir"],
      ends: { l: "-> ../..", new: "/" },
    }),
  ],
  [
    "for a working directory below a link",
    "CVE-2026-55686, podman",
    ({ out, at }) => ({
      layers: [[symlink("l", out), directory(at)]],
      mounts: ["/l/work:dir"],
      ends: { l: `-> ${out}`, [`${at}/work`]: "/" },
    }),
  ],
  [
    "for a working directory that means an open file",
    "CVE-2024-21626, runc",
    () => ({
      layers: [[file("x")]],
      mounts: ["/proc:dir", "/proc/self/fd/7:dir"],
      ends: { x: "x", "proc/self/fd/7": "/" },
    }),
  ],
  [
    "of another kind, where a link to the outside stands",
    "CVE-2024-23652, buildkit",
    ({ out }) => ({
      layers: [[symlink("l", `${out}/dir`), symlink("m", `${out}/f`)]],
      mounts: ["/l:file", "/m:dir"],
      ends: { l: "", m: "/" },
    }),
  ],
  [
    "of another kind, where a directory with links out stands",
    "CVE-2024-23652, buildkit",
    ({ out }) => ({
      layers: [[directory("d"), symlink("d/l", out), symlink("d/e/m", `${out}/dir`)]],
      mounts: ["/d:file"],
      ends: { d: "" },
    }),
  ],
  [
    "through /proc of whoever makes them",
    "own",
    ({ out }) => ({
      layers: [[symlink("l", `/proc/self/root${out}`), symlink("m", `/proc/self/root${out}/dir`)]],
      mounts: ["/l/f:file", "/m/f:file"],
      ends: { "l/f": "", "m/f": "" },
    }),
  ],
  [
    "where links go round in circles",
    "own",
    () => ({
      layers: [[symlink("a", "b"), symlink("b", "a"), symlink("c", "c/c/c")]],
      mounts: ["/a/x:dir", "/c:file"],
      ends: { "a/x": "/", b: "-> a", c: "" },
    }),
  ],
];
