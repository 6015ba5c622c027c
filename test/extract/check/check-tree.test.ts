import {
  appendFileSync,
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, test } from "vitest";
import { checkTree } from "../../../src/extract/check/check-tree.js";
import { InodeBook } from "../../../src/extract/check/inode-book.js";
import { asUser } from "../../support/as-user.js";
import type { Layers } from "../../support/check-stack.js";
import {
  assembleLayers,
  directory,
  file,
  hardLink,
  opaque,
  symlink,
  type Unpacked,
  unpackEntries,
  whiteout,
} from "../../support/layers.js";
import { listedTree, stackDifferences } from "../../support/listed-stack.js";
import { scratchDirectory } from "../../support/scratch-directory.js";

const digests = "sha256";

async function unpacked(...layers: Layers): Promise<readonly [Unpacked, ...Unpacked[]]> {
  const all: Unpacked[] = [];
  for (const entries of layers) {
    all.push(await unpackEntries(entries, { into: scratchDirectory(), digests }));
  }
  const [base, ...others] = all;
  if (!base) throw new Error("no layers were given");
  return [base, ...others];
}

const base = [
  directory("d", { mode: 0o750, mtime: 1_000_000_000 }),
  file("d/a", "aaaa", { mtime: 1_100_000_000.25 }),
  file("d/b", "bbbb", { mode: 0o755, mtime: 1_200_000_000 }),
  hardLink("d/also-b", "d/b"),
  symlink("l", "d/a", { mtime: 5 }),
  file("implied/\xff\n", "x"),
  file("d/gone", "g"),
  file("hidden/h", "h"),
];
const top = [whiteout("d/gone"), opaque("hidden"), file("hidden/new", ""), file("d/c", "c")];

describe("what nobody touched", () => {
  test("is as it is listed: layers and rootfs", async () => {
    const layers = await unpacked(base, top);
    expect(await stackDifferences(layers, assembleLayers(layers))).toEqual([]);
  });

  test("has files of any length, whatever they are hashed by", async () => {
    const mebibyte = 1024 * 1024;
    for (const digests of ["sha256", "crc32", "none"] as const) {
      const entries = [0, 1, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte].map((size) =>
        file(`f${size}`, Buffer.alloc(size, size % 251)),
      );
      const layer = await unpackEntries(entries, { into: scratchDirectory(), digests });
      expect(await stackDifferences([layer])).toEqual([]);
    }
  });

  test("has entries that came twice, and took each other's places", async () => {
    const layers = await unpacked([
      file("a", "first"),
      file("a", "second"),
      directory("b"),
      file("b/x"),
      file("b", "a file now"),
      file("c", "a directory next"),
      file("c/x"),
      directory("d", { mode: 0o700 }),
      file("d/x"),
      directory("d", { mode: 0o711 }),
      symlink("e", "d"),
      file("e/y"),
      file("f"),
      hardLink("g", "f"),
      file("f", "another"),
      { type: "3", name: "g" },
      file("h"),
      hardLink("h", "lower"),
    ]);
    expect(await stackDifferences(layers)).toEqual([]);
  });
});

/** Changes to make, to a layer's tree or a rootfs, and what is to be said of them. */
const changes: readonly [name: string, change: (root: string) => void, expected: string][] = [
  ["a flipped byte, the time put back", (root) => flip(`${root}/d/a`), "d/a CONTENT"],
  ["a shorter file", (root) => changed(`${root}/d/a`, (p) => truncateSync(p, 3)), "d/a CONTENT"],
  ["a longer file", (root) => changed(`${root}/d/a`, (p) => appendFileSync(p, "x")), "d/a CONTENT"],
  ["a deleted file", (root) => unlinkSync(`${root}/d/a`), "d/a MISSING"],
  ["a deleted directory", (root) => rmSync(`${root}/d`, { recursive: true }), "d MISSING"],
  ["an added file", (root) => writeFileSync(`${root}/d/new`, ""), "d/new ADDED"],
  [
    "an added directory",
    (root) => mkdirSync(`${root}/implied/new/x`, { recursive: true }),
    "implied/new ADDED",
  ],
  ["a file's mode", (root) => chmodSync(`${root}/d/a`, 0o600), "d/a MODE"],
  ["a setuid bit", (root) => chmodSync(`${root}/d/a`, 0o4644), "d/a MODE"],
  ["a directory's mode", (root) => chmodSync(`${root}/d`, 0o755), "d MODE"],
  ["a file's time", (root) => utimesSync(`${root}/d/a`, 1, 1), "d/a TIME"],
  ["a directory's time", (root) => utimesSync(`${root}/d`, 1, 1), "d TIME"],
  ["a symlink's time", (root) => lutimesSync(`${root}/l`, 1, 1), "l TIME"],
  [
    "where a symlink leads",
    (root) => {
      unlinkSync(`${root}/l`);
      symlinkSync("d/b", `${root}/l`);
      lutimesSync(`${root}/l`, 5, 5);
    },
    "l TARGET",
  ],
  [
    "a directory in place of a file",
    (root) => {
      unlinkSync(`${root}/d/a`);
      mkdirSync(`${root}/d/a`);
    },
    "d/a KIND",
  ],
  [
    "a symlink in place of a directory",
    (root) => {
      renameSync(`${root}/d`, `${root}/elsewhere`);
      symlinkSync("elsewhere", `${root}/d`);
    },
    "d KIND\nelsewhere ADDED",
  ],
  [
    "a hard link to another file",
    (root) => {
      unlinkSync(`${root}/d/a`);
      linkSync(`${root}/d/b`, `${root}/d/a`);
    },
    "d/a LINK",
  ],
];

describe.each(changes)("%s", (_, change, expected) => {
  test("is found in a layer, and nothing else", async () => {
    const layers = await unpacked(base);
    const rootfs = assembleLayers(layers);
    change(layers[0].tree);
    // A link to it is the same file, of which all was said.
    const wanted = expected.split("\n").map((line) => `layer 0: ${line}`);
    expect(await stackDifferences(layers, rootfs)).toEqual(wanted);
  });

  test("is found in a rootfs, and nothing else", async () => {
    const layers = await unpacked(base);
    const rootfs = assembleLayers(layers);
    // A file of the rootfs's own, since the layer has the same one.
    ownCopy(`${rootfs}/d/a`);
    unlinkSync(`${rootfs}/l`);
    symlinkSync("d/a", `${rootfs}/l`);
    lutimesSync(`${rootfs}/l`, 5, 5);
    utimesSync(rootfs, 0, 0);
    utimesSync(`${rootfs}/d`, 1_000_000_000, 1_000_000_000);
    change(rootfs);
    const found = await stackDifferences(layers, rootfs);
    const wanted = expected.split("\n").map((line) => `rootfs: ${line}`);
    expect(found).toEqual(wanted);
  });
});

test.runIf(process.geteuid?.() === 0)("what a user may not look at is no damage", async () => {
  const [layer] = await unpacked([file("closed/f"), file("open/f")]);
  const expected = listedTree(layer);
  chmodSync(layer.tree, 0o755);
  chmodSync(`${layer.tree}/closed`, 0o700);
  chmodSync(`${layer.tree}/..`, 0o755);
  const seen = await asUser([], async () => {
    return [...checkTree({ root: layer.tree, expected, book: new InodeBook() })];
  });
  expect(seen.filter(({ kind }) => kind === "unreadable")).toHaveLength(1);
  const findings = seen.flatMap((each) => (each.kind === "finding" ? [each.finding.code] : []));
  expect(findings).not.toContain("MISSING");
});

test("a listing that is damaged is no listing", async () => {
  const [layer] = await unpacked(base);
  const listing = `${layer.tree}/../listing`;
  const text = readFileSync(listing, "latin1");
  for (const damaged of [text.slice(0, -2), `${text}x`, text.replace("750", "755"), ""]) {
    writeFileSync(listing, damaged, "latin1");
    await expect(stackDifferences([layer])).rejects.toThrow(/^its listing/);
  }
  writeFileSync(listing, text, "latin1");
  truncateSync(`${layer.tree}/../digests`, 32);
  await expect(stackDifferences([layer])).rejects.toThrow("its list of digests differs");
});

function flip(path: string): void {
  changed(path, () => {
    const bytes = readFileSync(path);
    bytes[1] = (bytes[1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  });
}

/** Changes a file and puts its time back. */
function changed(path: string, change: (path: string) => void): void {
  change(path);
  utimesSync(path, 1_100_000_000.25, 1_100_000_000.25);
}

/** Gives a file an inode of its own. */
function ownCopy(path: string): void {
  const content = readFileSync(path);
  changed(path, () => {
    unlinkSync(path);
    writeFileSync(path, content);
  });
}
