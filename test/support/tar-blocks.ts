/** What a header block is to say. Numbers are written in octal; a Buffer is written as it is. */
export interface HeaderFields {
  readonly name?: string | Buffer;
  readonly prefix?: string | Buffer;
  readonly linkName?: string | Buffer;
  /** The type flag; `"\0"` as in archives from before POSIX. */
  readonly type?: string;
  readonly mode?: number | Buffer;
  readonly uid?: number | Buffer;
  readonly gid?: number | Buffer;
  readonly size?: number | Buffer;
  readonly mtime?: number | Buffer;
  readonly userName?: string;
  readonly groupName?: string;
  readonly format?: "ustar" | "gnu" | "v7";
  /** Default: the right one. */
  readonly checksum?: number | Buffer | "signed";
}

const magics = { ustar: "ustar\x0000", gnu: "ustar  \0", v7: "" };

/** One header block, made by hand so that it can be as odd as wanted. */
export function headerBlock(fields: HeaderFields = {}): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, value: string | Buffer) => Buffer.from(value).copy(block, at);
  const putNumber = (at: number, width: number, value: number | Buffer) =>
    put(at, typeof value === "number" ? `${octal(value, width - 1)}\0` : value);
  put(0, fields.name ?? "file");
  putNumber(100, 8, fields.mode ?? 0o644);
  putNumber(108, 8, fields.uid ?? 0);
  putNumber(116, 8, fields.gid ?? 0);
  putNumber(124, 12, fields.size ?? 0);
  putNumber(136, 12, fields.mtime ?? 0);
  put(156, Buffer.from(fields.type ?? "0", "latin1"));
  put(157, fields.linkName ?? "");
  put(257, magics[fields.format ?? "ustar"]);
  put(265, fields.userName ?? "");
  put(297, fields.groupName ?? "");
  put(345, fields.prefix ?? "");
  const { checksum } = fields;
  if (Buffer.isBuffer(checksum)) put(148, checksum);
  else {
    const right = checksum === "signed" ? signedSum(block) : sum(block);
    put(148, `${octal(typeof checksum === "number" ? checksum : right, 6)}\0 `);
  }
  return block;
}

/** A header block and the content that follows it, padded. */
export function member(fields: HeaderFields, content: string | Buffer = ""): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([headerBlock({ size: bytes.length, ...fields }), padded(bytes)]);
}

/** A PAX extended header (`x`) or global one (`g`) with the given records or body. */
export function paxMember(
  records: Readonly<Record<string, string | Buffer>> | Buffer,
  type: "x" | "g" = "x",
): Buffer {
  return member({ name: "PaxHeaders/x", type }, Buffer.isBuffer(records) ? records : pax(records));
}

/** The body of a PAX extended header. */
export function pax(records: Readonly<Record<string, string | Buffer>>): Buffer {
  return Buffer.concat(Object.entries(records).map(([keyword, value]) => record(keyword, value)));
}

function record(keyword: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), Buffer.from(value), Buffer.from("\n")]);
  let length = rest.length + 1;
  while (length !== rest.length + String(length).length) {
    length = rest.length + String(length).length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** GNU tar's way with long names (`L`) and long link targets (`K`). */
export function gnuLong(type: "L" | "K", text: string | Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(text), Buffer.from([0])]);
  return member({ name: "././@LongLink", type, format: "gnu" }, body);
}

/** The two blocks of zeros at an archive's end. */
export const endOfArchive: Buffer = Buffer.alloc(1024);

export function archiveOf(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, endOfArchive]);
}

/** A number in base 256, as GNU tar writes what octal can't hold. */
export function base256(value: bigint, width: 8 | 12): Buffer {
  const bits = BigInt(width * 8 - 1);
  const unsigned = BigInt.asUintN(Number(bits), value) | (1n << bits);
  return Buffer.from(unsigned.toString(16).padStart(width * 2, "0"), "hex");
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width, "0");
}

function sum(block: Buffer): number {
  return block.reduce((total, byte, i) => total + (inChecksum(i) ? 32 : byte), 0);
}

function signedSum(block: Buffer): number {
  return block.reduce((total, byte, i) => total + (inChecksum(i) ? 32 : (byte << 24) >> 24), 0);
}

function inChecksum(i: number): boolean {
  return i >= 148 && i < 156;
}
