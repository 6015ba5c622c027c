import { StageError } from "../../errors.js";
import type { ByteString } from "../../host/byte-string.js";

/** Keyword → value, both as bytes. An empty value takes back what a global header said. */
export type PaxRecords = ReadonlyMap<string, ByteString>;

/**
 * Decodes the body of a PAX extended header: records of the form `LENGTH KEYWORD=VALUE\n`, LENGTH
 * in decimal and counting itself (POSIX.1-2017, pax, "pax Extended Header").
 * @throws StageError IMAGE_INVALID
 */
export function decodePax(body: Buffer): PaxRecords {
  const records = new Map<string, ByteString>();
  let at = 0;
  while (at < body.length) {
    // Some writers fill the block with zeros and count them in the header's size.
    if (body[at] === 0) break;
    const space = body.indexOf(32, at);
    const digits = space < 0 ? "" : body.toString("latin1", at, space);
    const length = /^[0-9]{1,10}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const record = length > 0 && end <= body.length ? body.toString("latin1", space + 1, end) : "";
    const equals = record.indexOf("=");
    if (equals <= 0 || !record.endsWith("\n")) {
      throw new StageError("IMAGE_INVALID", "a PAX extended header is malformed");
    }
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at = end;
  }
  return records;
}

/**
 * A numeric PAX value: decimal, with a fraction for times.
 * @throws StageError IMAGE_INVALID
 */
export function paxNumber(records: PaxRecords, keyword: string): number | undefined {
  const value = records.get(keyword);
  if (value === undefined || value === "") return undefined;
  if (!/^-?\d{1,20}(\.\d*)?$/.test(value)) {
    throw new StageError("IMAGE_INVALID", `the PAX value of ${keyword} is not a number`);
  }
  return Number(value);
}

/**
 * A PAX value that is a path or a link target.
 * @throws StageError IMAGE_INVALID for a NUL, which no Linux path can hold
 */
export function paxPath(records: PaxRecords, keyword: string): ByteString | undefined {
  const value = records.get(keyword);
  if (value === undefined || value === "") return undefined;
  if (value.includes("\0")) {
    throw new StageError("IMAGE_INVALID", `the PAX value of ${keyword} holds a NUL byte`);
  }
  return value;
}
