import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { unpackLayer } from "../../src/extract/unpack-layer.js";
import type { Digest } from "../../src/oci/digest.js";
import { defaultLimits } from "../../src/oci/limits.js";
import { file, packLayer, sha256, usualPolicy } from "../support/layers.js";
import { rejection } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";
import { zstdOf } from "../support/zstd-frames.js";

/** Content that no compression makes smaller. */
const noise = randomBytes(8_500_000);
const small = packLayer([file("f", "hello"), file("d/g", noise.subarray(0, 200_000))]);
const large = packLayer([file("f", "hello"), file("d/g", noise)]);
const directory = mkdtempSync(join(tmpdir(), "stage-rootfs-blobs-"));

afterAll(() => rmSync(directory, { recursive: true }));

const compressions = {
  plain: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar, { level: 1 }),
  "gzip of two members": (tar: Buffer) =>
    Buffer.concat([
      gzipSync(tar.subarray(0, 100_001), { level: 1 }),
      gzipSync(tar.subarray(100_001), { level: 1 }),
    ]),
  zstd: zstdOf,
};

let count = 0;
const paths = new WeakMap<Buffer, string>();

/** A file with the blob in it; the same one for the same blob. */
function stored(blob: Buffer): string {
  const path = paths.get(blob) ?? join(directory, `blob-${count++}`);
  if (!paths.has(blob)) writeFileSync(path, blob);
  paths.set(blob, path);
  return path;
}

interface Attempt {
  readonly diffId?: Digest;
  readonly digest?: Digest | null;
  readonly offset?: number;
  readonly size?: number;
}

async function unpack(blob: Buffer, tar: Buffer, attempt: Attempt = {}) {
  const tree = `${scratchDirectory()}/tree`;
  mkdirSync(tree, { mode: 0o700 });
  const record = await unpackLayer({
    span: { path: stored(blob), offset: attempt.offset ?? 0, size: attempt.size ?? blob.length },
    diffId: attempt.diffId ?? sha256(tar),
    digest: attempt.digest === undefined ? sha256(blob) : attempt.digest,
    tree,
    policy: usualPolicy,
    limits: defaultLimits,
  });
  return { tree, record };
}

const wrong: Digest = `sha256:${"0".repeat(64)}`;

function sha512(content: Buffer): Digest {
  return `sha512:${createHash("sha512").update(content).digest("hex")}`;
}

describe.each([
  ["a blob that is read whole", small],
  ["a blob that is read in pieces", large],
])("%s", (_, tar) => {
  describe.each(Object.entries(compressions))("%s", (_name, compress) => {
    const blob = compress(tar);

    test("is unpacked", async () => {
      const { tree, record } = await unpack(blob, tar);
      expect(readFileSync(`${tree}/f`, "utf8")).toBe("hello");
      expect(record.entries).toBe(2);
      expect(noise.subarray(0, record.unpackedSize - 5).equals(readFileSync(`${tree}/d/g`))).toBe(
        true,
      );
    });

    test("is unpacked where no digest of the blob is stated", async () => {
      expect((await unpack(blob, tar, { digest: null })).record.entries).toBe(2);
    });

    test("is unpacked by digests of sha512", async () => {
      const digests = { diffId: sha512(tar), digest: sha512(blob) };
      expect((await unpack(blob, tar, digests)).record.entries).toBe(2);
    });

    test("is unpacked by one digest of each kind", async () => {
      expect((await unpack(blob, tar, { diffId: sha512(tar) })).record.entries).toBe(2);
    });

    test("is refused when the blob's digest is another", async () => {
      const error = await rejection(unpack(blob, tar, { digest: wrong }));
      expect(error.code).toBe("DIGEST_MISMATCH");
      expect(error.message).toContain(`layer ${sha256(tar)}: its blob should be ${wrong}`);
    });

    test("is refused when the diffID is another", async () => {
      const error = await rejection(unpack(blob, tar, { diffId: wrong }));
      expect(error.code).toBe("DIGEST_MISMATCH");
      expect(error.message).toContain(`layer ${wrong}: its diffID should be ${wrong}`);
    });

    test("is refused when the diffID is another and no digest is stated", async () => {
      const error = await rejection(unpack(blob, tar, { diffId: wrong, digest: null }));
      expect(error.code).toBe("DIGEST_MISMATCH");
    });

    test("is refused when its last bytes are missing", async () => {
      const cut = blob.subarray(0, blob.length - 5000);
      const error = await rejection(unpack(cut, tar));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toContain("truncated");
    });

    test("is refused when the file ends before the span does", async () => {
      const error = await rejection(unpack(blob, tar, { size: blob.length + 10 }));
      expect(error.code).toBe("IMAGE_INVALID");
      expect(error.message).toContain("truncated");
    });

    test("is read from the middle of a file", async () => {
      const around = Buffer.concat([randomBytes(777), blob, randomBytes(100)]);
      const attempt = { offset: 777, size: blob.length, digest: sha256(blob) };
      expect((await unpack(around, tar, attempt)).record.entries).toBe(2);
    });
  });
});

describe("a layer", () => {
  test("whose content was changed is refused even where every header is right", async () => {
    const changed = Buffer.from(small);
    changed[600] = (changed[600] ?? 0) ^ 1;
    const error = await rejection(unpack(changed, small, { digest: null }));
    expect(error.code).toBe("DIGEST_MISMATCH");
  });

  test("counts what follows the archive's end for its digests", async () => {
    const tail = Buffer.concat([small, Buffer.alloc(10_240), Buffer.from("trailing bytes")]);
    expect((await unpack(tail, tail)).record.entries).toBe(2);
    expect((await rejection(unpack(tail, small, { digest: null }))).code).toBe("DIGEST_MISMATCH");
  });

  test("of no bytes at all is an empty one", async () => {
    const empty = Buffer.alloc(0);
    expect((await unpack(empty, empty)).record).toMatchObject({ entries: 0, implied: [""] });
  });

  test("that ends without the two blocks of zeros is whole", async () => {
    const bare = small.subarray(0, small.length - 1024);
    expect((await unpack(bare, bare)).record.entries).toBe(2);
  });

  test.each([
    ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 1, 2, 3])],
    ["bzip2", Buffer.from("BZh91AY&SY")],
  ])("compressed with %s is refused by name", async (name, blob) => {
    const error = await rejection(unpack(blob, small));
    expect(error.code).toBe("IMAGE_UNSUPPORTED");
    expect(error.message).toContain(name);
  });

  test("that is no archive is refused", async () => {
    const error = await rejection(unpack(noise.subarray(0, 5000), small));
    expect(error.code).toBe("IMAGE_INVALID");
    expect(error.message).toContain("not a tar header");
  });

  test("that is damaged inside its compression is refused", async () => {
    const blob = Buffer.from(gzipSync(small));
    blob.fill(0x55, 5000, 5100);
    const error = await rejection(unpack(blob, small, { digest: null }));
    expect(["IMAGE_INVALID", "DIGEST_MISMATCH"]).toContain(error.code);
  });

  test("that is gone is named", async () => {
    const path = join(directory, "gone");
    const error = await rejection(
      unpackLayer({
        span: { path, offset: 0, size: 10 },
        diffId: wrong,
        digest: null,
        tree: scratchDirectory(),
        policy: usualPolicy,
        limits: defaultLimits,
      }),
    );
    expect(error.code).toBe("NOT_FOUND");
    expect(error.message).toContain(path);
  });
});
