import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import type { TarMember } from "./tar-writer.js";

/** Everything changed later than this says that it was changed now. */
export const EPOCH_SECONDS = Date.UTC(2025, 0, 1) / 1000;

/** A path of 300 bytes and more, with single names of more than 100 bytes. */
export const LONG_DIR = [
  "opt",
  "site",
  "long".repeat(30),
  "path".repeat(30),
  "name".repeat(20),
].join("/");

/** A file name that is no UTF-8. */
export const LATIN1_NAME = Buffer.from("caf\u00e9", "latin1");

/** Changes a root; `at` gives the path of something in it. */
export type Edit = (at: (path: string) => string) => Promise<void> | void;

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Brings a fresh Debian root to a state that does not tell where and when it was made. */
const normalize: Edit = (at) => {
  write(at("etc/hostname"), "image\n");
  write(at("etc/resolv.conf"), "");
  write(at("etc/apt/sources.list"), "");
  for (const path of ["etc/machine-id", "var/cache/ldconfig/aux-cache"]) {
    rmSync(at(path), { force: true });
  }
  for (const name of readdirSync(at("var/log"))) {
    rmSync(at(`var/log/${name}`), { recursive: true });
  }
};

/** Adds files of every kind that a layer can hold, and what later layers change. */
const addFiles: Edit = async (at) => {
  write(at("opt/site/README"), "first edition\n");
  write(at("opt/site/gone/deep/down/file"), "deleted with its directory\n");
  write(at("opt/site/gone.txt"), "deleted\n");
  write(at("opt/site/becomes-dir"), "a file\n");
  write(at("opt/site/becomes-link/inside"), "a directory\n");
  symlinkSync("README", at("opt/site/becomes-file"));
  write(at("opt/site/only-mode/inside"), "the directory gets another mode\n");
  write(at("opt/site/reborn/old"), "old\n");
  write(at("opt/site/reborn/same-name"), "old\n");
  write(at("opt/site/opaque/old"), "old\n");
  write(at("opt/site/opaque/sub/old"), "old\n");
  write(at("opt/site/opaque-late/old"), "old\n");
  write(at("opt/site/opaque-late/sub/old"), "old\n");
  write(at("opt/site/late/again"), "old\n");
  write(at("opt/site/links/one"), "three names\n");
  linkSync(at("opt/site/links/one"), at("opt/site/links/two"));
  linkSync(at("opt/site/links/one"), at("opt/site/three"));
  symlinkSync("/opt/site/README", at("opt/site/absolute-link"));
  symlinkSync("nowhere", at("opt/site/dangling-link"));
  symlinkSync("../../../../../../etc/hostname", at("opt/site/climbing-link"));
  write(at("opt/site/näme-ünïcode-名前-🙂"), "UTF-8\n");
  write(at("opt/site/with space and\nnewline"), "\n");
  writeFileSync(Buffer.concat([Buffer.from(at("opt/site/")), LATIN1_NAME]), "latin1\n");
  write(at(`${LONG_DIR}/file`), "a long way down\n");
  symlinkSync(`/${LONG_DIR}/file`, at("opt/site/link-to-long"));
  write(at("opt/site/empty"), "");
  copyFileSync(at("usr/bin/id"), at("opt/site/setuid"));
  chmodSync(at("opt/site/setuid"), 0o4755);
  write(at("opt/site/secret"), "owner only\n");
  chmodSync(at("opt/site/secret"), 0o600);
  mkdirSync(at("opt/site/sticky"));
  chmodSync(at("opt/site/sticky"), 0o1777);
  write(at("opt/site/readonly-dir/inside"), "nobody may write beside me\n");
  chmodSync(at("opt/site/readonly-dir"), 0o555);
  await execa("mkfifo", [at("opt/site/fifo")]);
};

/** Deletes, and puts something of another kind in the place of what was there. */
const replaceFiles: Edit = (at) => {
  rmSync(at("opt/site/gone"), { recursive: true });
  rmSync(at("opt/site/gone.txt"));
  rmSync(at("usr/share/lintian"), { recursive: true });
  rmSync(at("opt/site/becomes-dir"));
  write(at("opt/site/becomes-dir/inside"), "now a directory\n");
  rmSync(at("opt/site/becomes-link"), { recursive: true });
  // umoci also writes a whiteout of becomes-link/inside, and follows the link when it unpacks that:
  // the link must not lead to a directory with an "inside" of its own.
  symlinkSync("sticky", at("opt/site/becomes-link"));
  rmSync(at("opt/site/becomes-file"));
  write(at("opt/site/becomes-file"), "now a file\n");
  write(at("opt/site/README"), "second edition\n");
  write(at("etc/issue"), "A Debian root in layers\n");
  chmodSync(at("opt/site/only-mode"), 0o2750);
};

/** Deletes a directory and makes one of the same name with other things in it. */
const rebuildDirectory: Edit = (at) => {
  rmSync(at("opt/site/reborn"), { recursive: true });
  write(at("opt/site/reborn/new"), "new\n");
  write(at("opt/site/reborn/same-name"), "new\n");
  write(at("opt/site/gone/again"), "a deleted directory is back\n");
};

/** The layers that umoci makes by comparing trees, the base first. */
export const edits: readonly Edit[] = [normalize, addFiles, replaceFiles, rebuildDirectory];

/**
 * Applies the edit that makes a layer to a root, then dates back whatever it touched: to
 * {@link EPOCH_SECONDS} and an hour for each layer below.
 */
export async function applyEdit(rootfs: string, layer: number, edit: Edit): Promise<void> {
  await edit((path) => join(rootfs, path));
  dateBack(Buffer.from(rootfs), EPOCH_SECONDS + layer * 3600);
}

function dateBack(path: Buffer, latest: number): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    for (const name of readdirSync(path, { encoding: "buffer" })) {
      dateBack(Buffer.concat([path, Buffer.from("/"), name]), latest);
    }
  }
  if (stat.mtimeMs / 1000 > latest) {
    lutimesSync(path, latest, latest);
  }
}

const mtime = new Date((EPOCH_SECONDS + 10 * 3600) * 1000);

const file = (name: string, content: string): TarMember => ({ name, content, mtime });

/** What tools that compare trees never write, but others do: the members of the topmost layer. */
export const handmadeLayer: readonly TarMember[] = [
  // An opaque marker behind the siblings that it must not hide.
  file("opt/site/opaque-late/new", "new\n"),
  file("opt/site/opaque-late/.wh..wh..opq", ""),
  // A whiteout behind the file that replaces what it hides.
  file("opt/site/late/again", "new\n"),
  file("opt/site/late/.wh.again", ""),
  // One name of a file with several names.
  file("opt/site/links/.wh.one", ""),
  // A hard link to a file of another layer, and one to a file of this layer.
  { name: "opt/site/linked-across", type: "link", linkname: "usr/bin/busybox", mtime },
  file("opt/site/target", "two names\n"),
  { name: "opt/site/linked-within", type: "link", linkname: "opt/site/target", mtime },
  file("opt/site/twice", "the first one\n"),
  file("opt/site/twice", "the last one wins\n"),
  file("./opt/site/dotted", "./\n"),
  file("/opt/site/absolute", "/\n"),
  {
    ...file("opt/site/fraction", "half past\n"),
    pax: { mtime: `${EPOCH_SECONDS}.5` },
  },
];
