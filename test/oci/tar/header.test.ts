import { describe, expect, it } from "vitest";
import { decodeHeader, looksLikeTar } from "../../../src/oci/tar/header.js";
import { refusal } from "../../support/refusal.js";
import { base256, headerBlock } from "../../support/tar-blocks.js";

describe("decodeHeader", () => {
  it("reads every field of a ustar header", () => {
    const block = headerBlock({
      name: "usr/bin/sudo",
      linkName: "target",
      type: "2",
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      size: 4711,
      mtime: 1_700_000_000,
    });
    expect(decodeHeader(block)).toEqual({
      name: "usr/bin/sudo",
      linkName: "target",
      type: "2",
      mode: 0o4755,
      uid: 1000,
      gid: 100,
      size: 4711,
      mtime: 1_700_000_000,
    });
  });

  it("joins prefix and name of a ustar header", () => {
    expect(decodeHeader(headerBlock({ name: "b", prefix: "a/long/way" }))?.name).toBe(
      "a/long/way/b",
    );
  });

  it("takes names that fill their fields without a NUL", () => {
    const name = "n".repeat(100);
    const prefix = "p".repeat(155);
    const header = decodeHeader(headerBlock({ name, prefix, linkName: "l".repeat(100) }));
    expect(header).toMatchObject({ name: `${prefix}/${name}`, linkName: "l".repeat(100) });
  });

  it.each(["gnu", "v7"] as const)("takes no prefix from a %s header", (format) => {
    const block = headerBlock({ name: "b", prefix: "14523770123", format });
    expect(decodeHeader(block)?.name).toBe("b");
  });

  it("takes the NUL type of old archives for a file", () => {
    expect(decodeHeader(headerBlock({ type: "\0", format: "v7" }))?.type).toBe("0");
  });

  it("keeps the bytes of a name that is no UTF-8", () => {
    const name = Buffer.from([0x61, 0xff, 0xfe, 0x80]);
    expect(decodeHeader(headerBlock({ name }))?.name).toBe(name.toString("latin1"));
  });

  it("leaves the bits of the file type out of the mode", () => {
    expect(decodeHeader(headerBlock({ mode: 0o100755 }))?.mode).toBe(0o755);
  });

  it.each([
    { value: 0n, width: 12 as const },
    { value: 8n * 1024n ** 3n, width: 12 as const },
    { value: 2n ** 53n - 1n, width: 12 as const },
    { value: -1n, width: 12 as const },
    { value: -86_400n, width: 12 as const },
  ])("reads $value in base 256", ({ value, width }) => {
    const block = headerBlock({ mtime: base256(value, width), size: base256(value, width) });
    expect(decodeHeader(block)).toMatchObject({ mtime: Number(value), size: Number(value) });
  });

  it("reads owners in base 256", () => {
    const block = headerBlock({ uid: base256(4_294_967_294n, 8), gid: base256(2_097_152n, 8) });
    expect(decodeHeader(block)).toMatchObject({ uid: 4_294_967_294, gid: 2_097_152 });
  });

  it.each([
    { written: "0000644\0", value: 0o644 },
    { written: "0000644 ", value: 0o644 },
    { written: "   644 \0", value: 0o644 },
    { written: "   644\0 ", value: 0o644 },
    { written: "644\0\0\0\0\0", value: 0o644 },
    { written: "00000644", value: 0o644 },
    { written: "\0\0\0\0\0\0\0\0", value: 0 },
    { written: "        ", value: 0 },
    // GNU tar and Go pass over a NUL in front; to stop there would read another size than they do.
    { written: "\x000644\0", value: 0o644 },
  ])("reads the octal number $written", ({ written, value }) => {
    const block = headerBlock({ uid: Buffer.from(written.padEnd(8, "\0").slice(0, 8)) });
    expect(decodeHeader(block)?.uid).toBe(value);
  });

  it("reads a size that fills its field with twelve digits", () => {
    expect(decodeHeader(headerBlock({ size: Buffer.from("777777777777") }))?.size).toBe(
      8 ** 12 - 1,
    );
  });

  it.each(["mode", "uid", "gid", "size", "mtime"] as const)(
    "refuses a %s that is no octal number, and says which",
    (field) => {
      for (const written of ["00008", "12x4", "-1", "0x1f", "1.5"]) {
        const error = refusal(() => decodeHeader(headerBlock({ [field]: Buffer.from(written) })));
        expect(error).toMatchObject({ code: "IMAGE_INVALID" });
        expect(error.message).toContain(field);
      }
    },
  );

  it("takes a checksum that an old program summed up with signed characters", () => {
    const block = headerBlock({ name: Buffer.from("gr\xfc\xdfe", "latin1"), checksum: "signed" });
    expect(decodeHeader(block)?.name).toBe("gr\xfc\xdfe");
  });

  it.each([0, 1, 0o777777])("refuses a block whose checksum is stated as %d", (checksum) => {
    expect(refusal(() => decodeHeader(headerBlock({ checksum })))).toMatchObject({
      code: "IMAGE_INVALID",
      message: "not a tar header (its checksum does not agree)",
    });
  });

  it("refuses a block with any one byte changed that the checksum covers", () => {
    const block = headerBlock({ name: "etc/passwd", mtime: 1 });
    for (let i = 0; i < 512; i++) {
      if (i >= 148 && i < 156) continue;
      const changed = Buffer.from(block);
      changed.writeUInt8((changed.readUInt8(i) + 1) % 256, i);
      expect(refusal(() => decodeHeader(changed)).code).toBe("IMAGE_INVALID");
    }
  });

  it("takes a block of zeros for the end", () => {
    expect(decodeHeader(Buffer.alloc(512))).toBeUndefined();
  });

  it("does not take a block for the end that is zero but for one byte", () => {
    for (const at of [0, 155, 156, 511]) {
      const block = Buffer.alloc(512);
      block[at] = 1;
      expect(refusal(() => decodeHeader(block)).code).toBe("IMAGE_INVALID");
    }
  });
});

describe("looksLikeTar", () => {
  it.each([
    { what: "a ustar header", bytes: headerBlock(), is: true },
    { what: "a GNU header", bytes: headerBlock({ format: "gnu" }), is: true },
    { what: "a header from before POSIX", bytes: headerBlock({ format: "v7" }), is: true },
    {
      what: "a header and more",
      bytes: Buffer.concat([headerBlock(), Buffer.alloc(100)]),
      is: true,
    },
    { what: "a part of a header", bytes: headerBlock().subarray(0, 511), is: false },
    { what: "nothing", bytes: Buffer.alloc(0), is: false },
    { what: "zeros", bytes: Buffer.alloc(1024), is: false },
    { what: "text", bytes: Buffer.from("ustar ".repeat(200)), is: false },
    { what: "a program", bytes: Buffer.from(`\x7fELF${"\x02".repeat(600)}`, "latin1"), is: false },
  ])("says $is to $what", ({ bytes, is }) => {
    expect(looksLikeTar(bytes)).toBe(is);
  });
});
