import { directory, file, type LayerEntry, symlink } from "../support/layers.js";
import { archiveOf, base256, headerBlock, member, paxMember } from "../support/tar-blocks.js";
import type { AttackCase } from "./attack.js";

/** Two links out, and what would then be set on what they lead to. */
function onLinks(out: string, details: Partial<LayerEntry>): ReturnType<AttackCase[2]> {
  return {
    layers: [
      [symlink("l", `${out}/f`, details), symlink("d", `${out}/dir`, details)],
      [symlink("l", `${out}/f`, details)],
    ],
    ends: { l: `-> ${out}/f`, d: `-> ${out}/dir` },
  };
}

const withAttributes = { xattrs: { "user.x": "1", "security.capability": "\x01\0\0\x02" } };

function refusedOwner(...members: readonly Buffer[]): ReturnType<AttackCase[2]> {
  return { layers: [archiveOf(...members)], ends: "IMAGE_INVALID" };
}

/** Modes, owners, times and attributes that would be set on what lies outside, and devices. */
export const metadataAttacks: readonly AttackCase[] = [
  ["the mode of a link", "own", ({ out }) => onLinks(out, { mode: 0o6777 })],
  ["the owner of a link", "own", ({ out }) => onLinks(out, { uid: 4321, gid: 4321 })],
  ["the time of a link", "own", ({ out }) => onLinks(out, { mtime: 7 })],
  ["the extended attributes of a link", "own", ({ out }) => onLinks(out, withAttributes)],
  [
    "extended attributes by names that look like paths",
    "own",
    ({ out }) => ({
      layers: [[file("f", "x", { xattrs: { [`../..${out}/f`]: "1", __proto__x: "2" } })]],
      ends: { f: "x" },
    }),
  ],
  [
    "the extended attributes of a directory that turns into a link",
    "own",
    ({ out }) => ({
      layers: [
        [
          directory("d", withAttributes),
          symlink("d", `${out}/dir`),
          directory("e", withAttributes),
        ],
        [symlink("e", `${out}/dir`)],
      ],
      ends: { d: `-> ${out}/dir`, e: `-> ${out}/dir` },
    }),
  ],
  [
    "the extended attributes of files and directories below a link",
    "own",
    ({ out, at }) => ({
      layers: [
        [symlink("l", out)],
        [file("l/f", "x", { mode: 0o444, ...withAttributes }), directory("l/dir", withAttributes)],
      ],
      ends: { l: `-> ${out}`, [`${at}/f`]: "x", [`${at}/dir`]: "/" },
    }),
  ],
  [
    "mode, owner and time of a file below a link",
    "own",
    ({ out, at }) => ({
      layers: [
        [symlink("l", out)],
        [file("l/f", "x", { mode: 0o6777, uid: 4321, gid: 4321, mtime: 7 })],
      ],
      ends: { l: `-> ${out}`, [`${at}/f`]: "x" },
    }),
  ],
  [
    "mode, owner and time of a directory below a link that climbs",
    "own",
    () => ({
      layers: [
        [
          symlink("l", "../.."),
          directory("l/odd", { mode: 0o7777, uid: 4321, gid: 4321, mtime: 7 }),
        ],
      ],
      ends: { l: "-> ../..", odd: "/" },
    }),
  ],
  [
    "setuid and setgid bits, in a directory that hands its group down",
    "own",
    () => ({
      layers: [[directory("d", { mode: 0o6777 }), file("d/su", "x", { mode: 0o6755 })]],
      ends: { "d/su": "x" },
    }),
  ],
  [
    "devices of the host, under usual names and others",
    "own",
    () => ({
      layers: [
        archiveOf(
          headerBlock({ type: "3", name: "dev/mem" }),
          headerBlock({ type: "4", name: "dev/sda" }),
          headerBlock({ type: "6", name: "pipe" }),
          headerBlock({ type: "4", name: "etc/disk" }),
        ),
      ],
      ends: { dev: "/", etc: "/" },
    }),
  ],
  [
    "a device, and then a file written to it",
    "own",
    () => ({ layers: [[{ type: "4", name: "d" }, file("d", "x")]], ends: { d: "x" } }),
  ],
  [
    "a user that 32 bits can't hold, and so would be root",
    "own",
    () => refusedOwner(headerBlock({ name: "x", uid: base256(2n ** 32n, 8) })),
  ],
  [
    "a user that means none, and so would be whoever unpacks",
    "own",
    () => refusedOwner(paxMember({ uid: String(2 ** 32 - 1) }), member({ name: "x" })),
  ],
  [
    "a user below zero",
    "own",
    () => refusedOwner(headerBlock({ name: "x", uid: base256(-2n, 8) })),
  ],
  ["a group below zero, in PAX", "own", () => refusedOwner(paxMember({ gid: "-1" }), member({}))],
  [
    "times beyond all calendars",
    "own",
    () => ({
      layers: [[file("f", "x", { mtime: -1e15 }), directory("d", { mtime: 1e16 })]],
      ends: { f: "x", d: "/" },
    }),
  ],
];
