import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readSpan } from "../../../src/host/span.js";
import type { Bundle } from "../../../src/oci/bundle/bundle.js";
import { spoolArchive } from "../../../src/oci/bundle/spool.js";
import { packFiles } from "../../support/file-set.js";
import { rejection } from "../../support/refusal.js";
import { scratchDirectory } from "../../support/scratch-directory.js";
import { archiveOf, gnuLong, headerBlock, member, paxMember } from "../../support/tar-blocks.js";
import { skippableFrame, zstdFrame } from "../../support/zstd-handmade.js";

async function* inPieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

async function spool(
  archive: Buffer | AsyncIterable<Buffer>,
  options: { signal?: AbortSignal; directory?: string } = {},
): Promise<Bundle> {
  return await spoolArchive(Buffer.isBuffer(archive) ? inPieces(archive) : archive, {
    label: "image.tar.gz",
    directory: options.directory ?? scratchDirectory(),
    signal: options.signal,
  });
}

function textOf(bundle: Bundle, name: string): string | undefined {
  const span = bundle.find(name);
  return span && readSpan(span).toString();
}

const plain = archiveOf(
  member({ name: "./a" }, "A".repeat(70_000)),
  headerBlock({ name: "d/", type: "5" }),
  member({ name: "d/b" }, "B"),
  member({ name: "d/empty" }, ""),
  headerBlock({ name: "d/link", linkName: "../a", type: "2" }),
  headerBlock({ name: "hard", linkName: "./d/b", type: "1" }),
);

function expectPlain(bundle: Bundle): void {
  expect(textOf(bundle, "a")).toBe("A".repeat(70_000));
  expect(textOf(bundle, "d/b")).toBe("B");
  expect(textOf(bundle, "d/empty")).toBe("");
  expect(textOf(bundle, "d/link")).toBe("A".repeat(70_000));
  expect(textOf(bundle, "hard")).toBe("B");
  expect(bundle.find("nosuch")).toBeUndefined();
  expect(bundle.find("d")).toBeUndefined();
}

/** The archive in two parts, each compressed on its own. */
function inHalves(compress: (part: Buffer) => Buffer): Buffer[] {
  return [compress(plain.subarray(0, 1000)), compress(plain.subarray(1000))];
}

const forms = [
  { form: "no compression", bytes: plain },
  { form: "gzip", bytes: gzipSync(plain) },
  { form: "the gzip program", bytes: execFileSync("gzip", ["-1c"], { input: plain }) },
  { form: "gzip of two members", bytes: Buffer.concat(inHalves((part) => gzipSync(part))) },
  { form: "zstd", bytes: zstdFrame(plain) },
  { form: "zstd of two frames", bytes: Buffer.concat(inHalves(zstdFrame)) },
  {
    form: "zstd with skippable frames",
    bytes: Buffer.concat(
      inHalves(zstdFrame).flatMap((frame) => [skippableFrame(Buffer.from("seek table")), frame]),
    ),
  },
];

describe.each(forms)("spoolArchive, on $form", ({ bytes }) => {
  it("finds every member, links followed", async () => {
    expectPlain(await spool(bytes));
  });

  it.each([1, 2, 3, 7, 511, 1000])("takes it from a pipe in pieces of %d bytes", async (size) => {
    // A few small pieces are what matters: those that the kind of archive is told by.
    async function* smallFirst() {
      yield* inPieces(bytes.subarray(0, 60), size);
      yield* inPieces(bytes.subarray(60), 4096);
    }
    expectPlain(await spool(smallFirst()));
  });

  it("takes it from a pipe that begins with nothing", async () => {
    async function* nothingFirst() {
      yield Buffer.alloc(0);
      yield bytes;
    }
    expectPlain(await spool(nothingFirst()));
  });

  it("takes it from a file as it comes", async () => {
    const path = join(scratchDirectory(), "archive");
    writeFileSync(path, bytes);
    expectPlain(await spool(createReadStream(path, { highWaterMark: 3000 })));
  });

  it("refuses it when it is cut", async () => {
    for (const length of [4, 30, Math.floor(bytes.length / 2), bytes.length - 3000]) {
      if (length < 1 || length >= bytes.length) continue;
      const error = await rejection(spool(bytes.subarray(0, length)));
      expect(error).toMatchObject({ code: "IMAGE_INVALID" });
      expect(error.message).toMatch(/^image\.tar\.gz: /);
    }
  });
});

describe("spoolArchive, on contents", () => {
  it("keeps the members' contents in its directory, for their owner alone", async () => {
    const directory = scratchDirectory();
    await spool(gzipSync(plain), { directory });
    const contents = readdirSync(directory).map(
      (name) => readFileSync(join(directory, name)).length,
    );
    expect(contents.sort((a, b) => a - b)).toEqual([0, 1, 70_000]);
  });

  it("writes nothing under a name from the archive", async () => {
    const directory = join(scratchDirectory(), "spool");
    mkdirSync(directory);
    const names = ["../outside", "/etc/nosuch", "a/b", "..", "x\ny"];
    await spool(archiveOf(...names.map((name) => member({ name }, name))), { directory });
    expect(readdirSync(join(directory, ".."))).toEqual(["spool"]);
    for (const name of readdirSync(directory)) expect(name).toMatch(/^\d+$/);
  });

  it("takes the last of two members of one name", async () => {
    const bundle = await spool(
      archiveOf(member({ name: "a" }, "old"), member({ name: "./a" }, "new")),
    );
    expect(textOf(bundle, "a")).toBe("new");
  });

  it.each([
    { what: "a link out", members: [headerBlock({ name: "l", linkName: "../x", type: "2" })] },
    { what: "an absolute link", members: [headerBlock({ name: "l", linkName: "/x", type: "2" })] },
    { what: "a link to itself", members: [headerBlock({ name: "l", linkName: "l", type: "2" })] },
    { what: "a fifo", members: [headerBlock({ name: "l", type: "6" })] },
    { what: "a member whose name leads out", members: [member({ name: "../l" }, "x")] },
  ])("finds nothing under the name of $what", async ({ members }) => {
    const bundle = await spool(gzipSync(archiveOf(...members, member({ name: "a" }, "A"))));
    expect(bundle.find("l")).toBeUndefined();
    expect(textOf(bundle, "a")).toBe("A");
  });

  it("reads long names of either kind, names that are not ASCII, and old headers", async () => {
    const long = "n".repeat(300);
    const bundle = await spool(
      gzipSync(
        archiveOf(
          Buffer.concat([paxMember({ path: `${long}/pax` }), member({}, "1")]),
          Buffer.concat([gnuLong("L", `${long}/gnu`), member({}, "2")]),
          member({ name: "grün" }, "3"),
          member({ name: "old", format: "v7" }, "4"),
        ),
      ),
    );
    expect(textOf(bundle, `${long}/pax`)).toBe("1");
    expect(textOf(bundle, `${long}/gnu`)).toBe("2");
    expect(textOf(bundle, "grün")).toBe("3");
    expect(textOf(bundle, "old")).toBe("4");
  });

  it("reads archives that tar-stream and GNU tar have packed", async () => {
    const packed = await packFiles(new Map([["x/manifest.json", "[]"]]));
    expect(textOf(await spool(gzipSync(packed)), "x/manifest.json")).toBe("[]");
    const directory = scratchDirectory();
    writeFileSync(join(directory, "manifest.json"), "[]");
    const archived = execFileSync("tar", ["-C", directory, "-cz", "."]);
    expect(textOf(await spool(archived), "manifest.json")).toBe("[]");
  });
});

describe("spoolArchive, on what is no archive", () => {
  it.each([
    { what: "text", bytes: Buffer.from("hello ".repeat(500)) },
    { what: "compressed text", bytes: gzipSync("hello ".repeat(500)) },
    { what: "zstd of text", bytes: zstdFrame(Buffer.from("hello ".repeat(500))) },
    { what: "garbage that begins as gzip", bytes: Buffer.from(`1f8b${"aa".repeat(600)}`, "hex") },
    {
      what: "garbage that begins as zstd",
      bytes: Buffer.from(`28b52ffd${"ff".repeat(600)}`, "hex"),
    },
    { what: "a short text", bytes: Buffer.from("hello") },
    { what: "one byte", bytes: Buffer.from("h") },
  ])("refuses $what, and names the file", async ({ bytes }) => {
    const error = await rejection(spool(bytes));
    expect(error).toMatchObject({ code: "IMAGE_INVALID", hint: expect.any(String) });
    expect(error.message).toMatch(/^image\.tar\.gz: /);
  });

  it.each(["xz", "bzip2"])("refuses %s by name", async (name) => {
    const magics: Record<string, string> = { xz: "fd377a585a000004", bzip2: "425a683931415926" };
    const bytes = Buffer.concat([Buffer.from(magics[name] ?? "", "hex"), Buffer.alloc(1000)]);
    const error = await rejection(spool(bytes));
    expect(error.code).toBe("IMAGE_UNSUPPORTED");
    expect(error.message).toMatch(new RegExp(`^image\\.tar\\.gz: .*${name}`));
  });

  it.each([
    { what: "nothing", bytes: Buffer.alloc(0) },
    { what: "gzip of nothing", bytes: gzipSync("") },
    { what: "an archive of nothing", bytes: Buffer.alloc(10_240) },
  ])("finds no member in $what", async ({ bytes }) => {
    expect((await spool(bytes)).find("manifest.json")).toBeUndefined();
  });

  it("says so when the source fails, and not that something could not be written", async () => {
    async function* failing() {
      yield plain.subarray(0, 2000);
      throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
    }
    const error = await rejection(spool(failing()));
    expect(error.message).toMatch(/^image\.tar\.gz: cannot read /);
  });
});

describe("spoolArchive, on a signal", () => {
  it("stops at once with the signal's reason when it was given before", async () => {
    const reason = new Error("stop");
    await expect(spool(gzipSync(plain), { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it("stops with the signal's reason while it reads", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    async function* endless() {
      for (let i = 0; ; i++) {
        if (i === 5) controller.abort(reason);
        yield member({ name: `m${i}` }, "x".repeat(5000));
      }
    }
    await expect(spool(endless(), { signal: controller.signal })).rejects.toBe(reason);
  });

  it("stops while it waits for a pipe that has nothing to say", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const pipe = new PassThrough();
    pipe.write(plain.subarray(0, 2000));
    const spooling = spool(pipe, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(spooling).rejects.toBe(reason);
  }, 2000);

  it("leaves a source alone that never ends once the archive has failed", async () => {
    async function* garbage() {
      for (;;) yield Buffer.alloc(4096, 0x61);
    }
    const error = await rejection(spool(Readable.from(garbage())));
    expect(error.code).toBe("IMAGE_INVALID");
  }, 2000);
});
