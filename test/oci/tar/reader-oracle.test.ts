import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { extract, type Header } from "tar-stream";
import { beforeAll, describe, expect, it } from "vitest";
import { isRecord } from "../../../src/host/read-json.js";
import { packTar } from "../../e2e/support/tar-writer.js";
import { refusal } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { memorySource, readMembers } from "../../support/tar-members.js";

/** What two readers of an archive must agree on. */
interface Reading {
  readonly name: string;
  readonly type: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** In whole seconds: tar-stream has no others. */
  readonly mtime: number;
  readonly content: string;
}

const typeNames: Readonly<Record<string, string>> = {
  "character device": "character-device",
  "block device": "block-device",
  hardlink: "link",
  "contiguous-file": "file",
};

function byUs(bytes: Buffer): Reading[] {
  const text = (name: string) => Buffer.from(name, "latin1").toString("utf8");
  return readMembers(memorySource(bytes)).map(({ entry, content }) => ({
    name: withoutSlash(text(entry.name)),
    type: typeNames[entry.type] ?? entry.type,
    linkName: text(entry.linkName),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    mtime: Math.floor(entry.mtime),
    content: content.toString("hex"),
  }));
}

/** Its types do not know the option. */
const anyFormat: Parameters<typeof extract>[0] & { allowUnknownFormat: boolean } = {
  allowUnknownFormat: true,
};

async function byTarStream(bytes: Buffer): Promise<Reading[]> {
  const found: Reading[] = [];
  const entries = extract(anyFormat);
  Readable.from([bytes]).pipe(entries);
  for await (const entry of entries) {
    const { header } = entry;
    const content = await buffer(entry);
    const type = header.type ?? "";
    found.push({
      name: withoutSlash(header.name),
      type: typeNames[type] ?? type,
      linkName: header.linkname ?? "",
      mode: header.mode ?? -1,
      uid: Number(paxValue(header, "uid") ?? header.uid),
      gid: Number(paxValue(header, "gid") ?? header.gid),
      mtime: mtimeOf(header),
      content: content.toString("hex"),
    });
  }
  return found;
}

/** tar-stream leaves it to its user to apply PAX times and owners. */
function paxValue({ pax }: Header, keyword: string): string | undefined {
  const value = isRecord(pax) ? pax[keyword] : undefined;
  return typeof value === "string" ? value : undefined;
}

function mtimeOf(header: Header): number {
  return Math.floor(Number(paxValue(header, "mtime") ?? Number(header.mtime) / 1000));
}

function withoutSlash(name: string): string {
  return name.replace(/\/$/, "");
}

/** A tree with what GNU tar can be asked to write in each of its formats. */
function sourceTree(format: string): string {
  const root = scratchDirectory();
  const hasLongNames = format !== "v7";
  mkdirSync(join(root, "d/e"), { recursive: true });
  writeFileSync(join(root, "d/empty"), "");
  writeFileSync(join(root, "d/block"), "b".repeat(512));
  writeFileSync(join(root, "d/odd"), "o".repeat(1537));
  writeFileSync(join(root, "d/größe"), "UTF-8 name");
  writeFileSync(join(root, "d/with space and\ttab"), "x");
  symlinkSync("../d/odd", join(root, "d/e/link"));
  symlinkSync("/absolute/ünd", join(root, "d/e/absolute"));
  linkSync(join(root, "d/odd"), join(root, "d/hard"));
  utimesSync(join(root, "d/odd"), 1, 1);
  if (hasLongNames) {
    const deep = join(root, "deep", "0123456789".repeat(9));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "file"), "deep");
  }
  if (format === "gnu" || format === "pax") {
    writeFileSync(join(root, "n".repeat(200)), "long");
    symlinkSync("t".repeat(200), join(root, "long-link"));
  }
  return root;
}

describe("TarReader, beside tar-stream's reader", () => {
  it.each(["ustar", "gnu", "pax", "v7"])(
    "reads the same from GNU tar's %s archives",
    async (format) => {
      const bytes = execFileSync("tar", [
        `--format=${format}`,
        "--sort=name",
        "-C",
        sourceTree(format),
        "-c",
        ".",
      ]);
      const ours = byUs(bytes);
      expect(ours.length).toBeGreaterThan(8);
      expect(ours.map((reading) => reading.type)).toContain("link");
      expect(ours).toEqual(await byTarStream(bytes));
    },
  );

  it.each(["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax"])(
    "refuses GNU tar's sparse files (--format=%s)",
    (format) => {
      const root = scratchDirectory();
      writeFileSync(join(root, "holes"), "");
      truncateSync(join(root, "holes"), 10_000_000);
      const flags = ["--sparse", ...`--format=${format}`.split(" ")];
      const bytes = execFileSync("tar", [...flags, "-C", root, "-c", "holes"]);
      expect(bytes.length).toBeLessThan(100_000);
      expect(refusal(() => byUs(bytes))).toMatchObject({
        code: "IMAGE_UNSUPPORTED",
        message: expect.stringMatching(/holes.*: sparse files/),
      });
    },
  );

  it("reads the same from an archive that tar-stream has packed", async () => {
    const mtime = new Date(1_700_000_000_000);
    const bytes = await packTar([
      { name: "usr/", type: "directory", mode: 0o755, mtime },
      { name: "usr/file", content: "content", mode: 0o4711, uid: 1000, gid: 100, mtime },
      { name: "usr/link", type: "symlink", linkname: "file", mtime },
      { name: "usr/hard", type: "link", linkname: "usr/file", mtime },
      { name: "dev/null", type: "character-device", devmajor: 1, devminor: 3, mtime },
      { name: "dev/sda", type: "block-device", devmajor: 8, devminor: 0, mtime },
      { name: "run/pipe", type: "fifo", mtime },
      { name: `long/${"n".repeat(200)}`, content: "long", mtime },
      { name: "größe", content: "UTF-8", mtime },
      { name: "link", type: "symlink", linkname: "t".repeat(200), mtime },
      { name: "owner", uid: 3_000_000, gid: 4_000_000, content: "", mtime },
      { name: "usr/file", content: "again", mtime },
    ]);
    const ours = byUs(bytes);
    expect(ours).toHaveLength(12);
    expect(ours).toEqual(await byTarStream(bytes));
  });

  let oracle: Reading[];
  beforeAll(async () => {
    oracle = await byTarStream(await packTar([{ name: "a", content: "1" }]));
  });

  it("has an oracle that sees differences", async () => {
    expect(byUs(await packTar([{ name: "a", content: "2" }]))).not.toEqual(oracle);
    expect(oracle).toHaveLength(1);
  });
});
