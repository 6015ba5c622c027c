import { gzipSync } from "node:zlib";
import {
  directory,
  file,
  hardLink,
  opaque,
  packLayer,
  symlink,
  whiteout,
} from "../support/layers.js";
import {
  archiveOf,
  base256,
  gnuLong,
  headerBlock,
  member,
  pax,
  paxMember,
} from "../support/tar-blocks.js";
import { zstdOf } from "../support/zstd-frames.js";
import { zstdFrame } from "../support/zstd-handmade.js";

/** Where the canary stands, seen from a tree and from anywhere. */
const out = "../../../canary";
const outAnywhere = "/proc/self/cwd/canary";

const kinds = packLayer([
  directory("./"),
  directory("bin"),
  file("bin/sh", "#!", { mode: 0o4755, uid: 1000, gid: 1000, mtime: 1_700_000_000 }),
  file("bin/empty", ""),
  file("bin/large", "x".repeat(1300)),
  hardLink("bin/ash", "bin/sh"),
  symlink("sbin", "bin"),
  symlink("bin/loop", "loop"),
  { type: "3", name: "dev/null", mode: 0o666 },
  { type: "4", name: "dev/sda" },
  { type: "6", name: "dev/fifo" },
  directory("locked", { mode: 0 }),
  file("locked/f", "1"),
  directory("tmp", { mode: 0o1777 }),
  directory("etc", { mode: 0o2755 }),
  file("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
  file("etc/hosts", ""),
]);

const extensions = archiveOf(
  paxMember({ mtime: "1.5", comment: "global" }, "g"),
  paxMember({ path: `${"longer-name/".repeat(9)}name`, mtime: "1700000000.123456789" }),
  member({ name: "short" }, "content"),
  paxMember({ path: "caf\u00e9", "SCHILY.xattr.user.a": Buffer.from([0, 10, 255]) }),
  member({ name: "cafe" }, "x".repeat(600)),
  paxMember({ size: "5", uid: "4294967294", gid: "70000" }),
  member({ name: "sized", size: 5 }, "12345"),
  gnuLong("L", `${"deeper-name/".repeat(12)}file`),
  member({ name: "truncated", format: "gnu" }, "gnu"),
  gnuLong("K", "t".repeat(150)),
  gnuLong("L", "l".repeat(150)),
  member({ name: "link", type: "2", linkName: "cut", format: "gnu" }),
  paxMember({ linkpath: "short", path: "again" }),
  member({ name: "hard", type: "1", linkName: "nothing" }),
  member({ name: "rest", prefix: "some/prefix" }, "p"),
  member({ name: Buffer.from([0xff, 0xfe, 0x80]) }, "bytes"),
  member({ name: "big", size: base256(3n, 12), uid: base256(70_000n, 8) }, "big"),
  member({ name: "old/", type: "\0", format: "v7" }),
  member({ name: "old/file", type: "\0", format: "v7", mtime: base256(-5n, 12) }, "v7"),
  member({ name: "contiguous", type: "7" }, "seven"),
  paxMember(Buffer.concat([pax({ mtime: "3" }), Buffer.alloc(9)])),
  member({ name: "padded" }, "p"),
);

const base = packLayer([
  directory("a"),
  file("a/x", "ax"),
  directory("a/b"),
  file("a/b/y", "aby"),
  hardLink("a/b/z", "a/x"),
  symlink("l", "a"),
  symlink("a/up", ".."),
  symlink("abs", "/a/b"),
  symlink("out", out),
  symlink("a/out", `../${out}`),
  symlink("anywhere", outAnywhere),
  symlink("climb", `../../../../../../../..${outAnywhere}`),
  symlink("dangling", "nowhere"),
  symlink("a/l", "/"),
  directory("var"),
  symlink("var/run", "/run"),
  directory("run"),
  file("f", "f"),
]);

const whiteouts = packLayer([
  whiteout("a/x"),
  file("a/x", "again"),
  file("a/b/y", "new"),
  whiteout("a/b/y"),
  opaque("a/b"),
  file("a/b/after", "1"),
  whiteout("l/x"),
  whiteout("out/f"),
  opaque("anywhere"),
  opaque("l/b"),
  whiteout("f"),
  directory("f"),
  file("a/.wh..wh.plnk", ""),
  whiteout("dangling"),
  opaque("new"),
]);

const links = packLayer([
  hardLink("kept", "a/x"),
  whiteout("a/x"),
  hardLink("kept2", "l/b/y"),
  hardLink("abs/second", "f"),
  hardLink("of-link", "out"),
  hardLink("of-link/below", "f"),
  symlink("chain1", "chain2"),
  symlink("chain2", "chain3/.."),
  symlink("chain3", "a/b"),
  file("chain1/new", "n"),
  file("out/new", "n"),
  file("anywhere/f", "n"),
  directory("climb/dir", { mode: 0o777 }),
  file("a/l/a/x", "n"),
  hardLink("h", "own"),
  file("own", "o"),
]);

const replacing = packLayer([
  file("a", "file for directory"),
  directory("f"),
  file("f/below", "1"),
  symlink("f", "a"),
  directory("f"),
  directory("l"),
  file("l/x", "in the link's place"),
  symlink("run", out),
  directory("/"),
  directory(".", { mode: 0o711, mtime: 5, uid: 7, gid: 7 }),
  directory("out"),
  file("out/f", "1"),
  file("var/run/pid", "1"),
  { type: "6", name: "var" },
  directory("proc", { mode: 0o555 }),
  file("tmp", "no directory"),
]);

/** A link that leads back to where it stands, and what goes through it: names matter here. */
const looped = packLayer([
  directory("b"),
  symlink("b/l", "/"),
  symlink("b/m", ".."),
  file("b/f", "1"),
  directory("c"),
  symlink("c/l", "../b"),
]);

const throughLoops = packLayer([
  file("b/new", "1"),
  directory("b/l/c", { mode: 0o700 }),
  file("b/z", "1"),
  symlink("b/m/x", out),
  file("c/l/new", "1"),
  hardLink("b/l/held", "b/f"),
  whiteout("b/l/b/f"),
]);

/** What turns a directory into a link while it is added to, were it not refused. */
const turning = packLayer([
  file("b/a", "1"),
  file("b/f", "1"),
  symlink("b/l/b", out),
  file("b/new", "1"),
  file("b/z", "1"),
]);

const deep = archiveOf(
  ...[10, 19, 25].flatMap((levels) => [
    paxMember({ path: `${"d".repeat(200)}/`.repeat(levels) }),
    member({ name: "d", type: "5" }),
    paxMember({ path: `${`${"d".repeat(200)}/`.repeat(levels)}f` }),
    member({ name: "f" }, "deep"),
  ]),
  member({ name: "last" }, "1"),
);

const empty = archiveOf();
const headerOnly = headerBlock({ name: "f" });

/** Layers that a base is made of, by what they are about. */
export const layerSeeds: Readonly<Record<string, Buffer>> = {
  kinds,
  extensions,
  base,
  whiteouts,
  links,
  replacing,
  looped,
  throughLoops,
  turning,
  deep,
  empty,
  headerOnly,
};

/** Stacks of layers, the base first. */
export const stackSeeds: Readonly<Record<string, readonly Buffer[]>> = {
  kinds: [kinds],
  extensions: [extensions],
  deep: [deep],
  "base and whiteouts": [base, whiteouts],
  "base and links": [base, links],
  "base and what replaces it": [base, replacing],
  "links that lead back": [looped, throughLoops],
  "a directory that becomes a link": [looped, turning],
  "three layers": [base, replacing, links],
  "kinds and what replaces them": [kinds, replacing, whiteouts],
  "the same twice": [links, base, base],
};

/** A layer as it may be stored. */
export const storages: readonly ((tar: Buffer) => Buffer)[] = [
  (tar) => tar,
  (tar) => tar,
  (tar) => gzipSync(tar, { level: 1 }),
  (tar) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
  zstdOf,
  zstdFrame,
];
