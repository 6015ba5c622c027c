import { file, type LayerEntry, packLayer, symlink } from "../support/layers.js";
import {
  archiveOf,
  base256,
  endOfArchive,
  gnuLong,
  headerBlock,
  member,
  paxMember,
} from "../support/tar-blocks.js";
import type { Aim, AttackCase, AttackLayer } from "./attack.js";

const up = "../../../../../../../../..";

function refused(...members: readonly Buffer[]): ReturnType<AttackCase[2]> {
  return { layers: [archiveOf(...members)], ends: "IMAGE_INVALID" };
}

function unsupported(...members: readonly Buffer[]): ReturnType<AttackCase[2]> {
  return { layers: [archiveOf(...members)], ends: "IMAGE_UNSUPPORTED" };
}

/** Members that are to be content and nothing else: a link out, and a file written through it. */
function smuggled({ out }: Aim): Buffer {
  const entries: readonly LayerEntry[] = [symlink("l", out), file("l/f", "pwned")];
  return packLayer(entries).subarray(0, -endOfArchive.length);
}

/** What the rootfs holds where {@link smuggled} was read as members after all. */
function unpacked({ out, at }: Aim): Readonly<Record<string, string>> {
  return { l: `-> ${out}`, [`${at}/f`]: "pwned" };
}

function layer(...members: readonly Buffer[]): readonly AttackLayer[] {
  return [archiveOf(...members)];
}

/** Archives that two readers could take for different things, and names in unusual places. */
export const headerAttacks: readonly AttackCase[] = [
  [
    "members inside of content whose size only PAX tells",
    "CVE-2025-62518, tokio-tar",
    (aim) => {
      const content = smuggled(aim);
      return {
        layers: layer(
          paxMember({ size: String(content.length) }),
          member({ name: "inner.tar", size: 0 }, content),
        ),
        ends: { "inner.tar": content.toString("latin1") },
      };
    },
  ],
  [
    "members behind a size that PAX takes back",
    "own",
    (aim) => ({
      layers: layer(paxMember({ size: "0" }), member({ name: "inner.tar" }, smuggled(aim))),
      ends: { "inner.tar": "", ...unpacked(aim) },
    }),
  ],
  [
    "members inside of content whose size PAX tells before a long name",
    "GHSA-3pv8-6f4r-ffg2, tar-rs",
    (aim) => {
      const content = smuggled(aim);
      return {
        layers: layer(
          paxMember({ size: String(content.length) }),
          gnuLong("L", "inner.tar"),
          member({ name: "x", size: 0 }, content),
        ),
        ends: { "inner.tar": content.toString("latin1") },
      };
    },
  ],
  [
    "members inside of a directory's content",
    "own",
    (aim) => ({
      layers: layer(member({ name: "d/", type: "5" }, smuggled(aim))),
      ends: { d: "/", ...unpacked(aim) },
    }),
  ],
  [
    "members inside of a hard link's content",
    "own",
    (aim) => ({
      layers: layer(
        member({ name: "x" }, "x"),
        member({ name: "h", type: "1", linkName: "x" }, smuggled(aim)),
      ),
      ends: { x: "x", h: "x", ...unpacked(aim) },
    }),
  ],
  [
    "members after one block of zeros",
    "own",
    (aim) => refused(member({ name: "x" }), Buffer.alloc(512), smuggled(aim)),
  ],
  [
    "members after the archive's end",
    "own",
    (aim) => ({
      layers: [archiveOf(member({ name: "x" }, "x"), endOfArchive, smuggled(aim))],
      ends: { x: "x" },
    }),
  ],
  ["a size below zero", "own", () => refused(headerBlock({ name: "x", size: base256(-512n, 12) }))],
  [
    "a size below zero in PAX",
    "own",
    () => refused(paxMember({ size: "-512" }), member({ name: "x" }, "x")),
  ],
  [
    "a size beyond all measure",
    "own",
    () => refused(headerBlock({ name: "x", size: base256(2n ** 62n, 12) })),
  ],
  [
    "an extended header that claims gigabytes",
    "CPython, pull request 151498",
    () => refused(headerBlock({ type: "x", name: "x", size: base256(2n ** 40n, 12) })),
  ],
  [
    "a long name that claims gigabytes",
    "CPython, pull request 151498",
    () => refused(headerBlock({ type: "L", name: "x", format: "gnu", size: 8 ** 11 - 1 })),
  ],
  [
    "a PAX header that a lenient reader passes over",
    "astral-tokio-tar up to 0.5.6",
    ({ out }) => refused(paxMember(Buffer.from(`9999 path=${out}/f\n`)), member({ name: "x" })),
  ],
  [
    "a PAX record whose length is off by one",
    "astral-tokio-tar up to 0.5.6",
    () => refused(paxMember(Buffer.from("12 path=../f\n")), member({ name: "x" })),
  ],
  [
    "a name that climbs, in PAX",
    "own",
    ({ out }) => refused(paxMember({ path: `${up}${out}/f` }), member({ name: "x" }, "x")),
  ],
  [
    "a name that climbs, in a global PAX header",
    "own",
    () => refused(paxMember({ path: "../f" }, "g"), member({ name: "x" }, "x")),
  ],
  [
    "a name that climbs, in GNU's long name",
    "CVE-2016-6321, GNU tar",
    ({ out }) => refused(gnuLong("L", `etc/${up}${out}/f`), member({ name: "x" }, "x")),
  ],
  [
    "a name that climbs by its prefix",
    "own",
    () => refused(member({ prefix: "..", name: "f" }, "x")),
  ],
  [
    "a name that climbs between prefix and name",
    "own",
    () => refused(member({ prefix: "dir/.", name: "./../f" }, "x")),
  ],
  [
    "a prefix that is an absolute path",
    "own",
    ({ out, at }) => ({
      layers: layer(member({ prefix: out, name: "f" }, "x")),
      ends: { [`${at}/f`]: "x" },
    }),
  ],
  [
    "a NUL in the name, before the rest",
    "own",
    () => ({ layers: layer(member({ name: "x\0/../../f" }, "x")), ends: { x: "x" } }),
  ],
  [
    "a NUL in PAX's name",
    "own",
    () => refused(paxMember({ path: "x\0/../../f" }), member({ name: "x" }, "x")),
  ],
  [
    "a NUL in GNU's long name",
    "own",
    () => ({
      layers: layer(gnuLong("L", "x\0/../../f"), member({ name: "y" }, "x")),
      ends: { x: "x" },
    }),
  ],
  [
    "a NUL in a link's target",
    "own",
    ({ out }) =>
      refused(paxMember({ linkpath: `x\0${out}` }), headerBlock({ type: "2", name: "l" })),
  ],
  [
    "a hard link's target, in PAX",
    "own",
    ({ out }) =>
      refused(
        paxMember({ linkpath: `${out}/f` }),
        headerBlock({ type: "1", name: "h", linkName: "x" }),
      ),
  ],
  [
    "a link's target, in a global PAX header",
    "own",
    ({ out, at }) => ({
      layers: layer(
        paxMember({ linkpath: out }, "g"),
        headerBlock({ type: "2", name: "l", linkName: "x" }),
        member({ name: "l/f" }, "x"),
      ),
      ends: { l: `-> ${out}`, [`${at}/f`]: "x" },
    }),
  ],
  [
    "a link's target, in GNU's long link",
    "own",
    ({ out, at }) => ({
      layers: layer(
        gnuLong("K", out),
        headerBlock({ type: "2", name: "l", linkName: "x" }),
        member({ name: "l/f" }, "x"),
      ),
      ends: { l: `-> ${out}`, [`${at}/f`]: "x" },
    }),
  ],
  [
    "a list of names to make links by",
    "GNU tar, GNUTYPE_NAMES",
    ({ out }) =>
      unsupported(member({ type: "N", name: "././@x" }, `Symlink ${out} to l\n`), member({}, "x")),
  ],
  [
    "a sparse file whose real name climbs",
    "own",
    () =>
      unsupported(
        paxMember({ "GNU.sparse.major": "1", "GNU.sparse.name": "../f" }),
        member({ name: "x" }, "x"),
      ),
  ],
  [
    "a name that a slash makes a directory, where a link stands",
    "own",
    ({ out }) => ({
      layers: layer(
        headerBlock({ type: "2", name: "l", linkName: `${out}/dir` }),
        member({ name: "l/", mode: 0o777, mtime: 7, format: "v7" }, "pwned"),
      ),
      ends: { l: "/" },
    }),
  ],
  [
    "a contiguous file in place of a link",
    "own",
    ({ out }) => ({
      layers: layer(
        headerBlock({ type: "2", name: "l", linkName: `${out}/f` }),
        member({ type: "7", name: "l" }, "x"),
      ),
      ends: { l: "x" },
    }),
  ],
];
