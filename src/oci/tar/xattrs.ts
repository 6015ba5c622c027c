import type { ByteString } from "../../host/byte-string.js";
import type { PaxRecords } from "./pax.js";

/**
 * Name and value as they are. GNU tar, star, Go and with it all container engines write these. GNU
 * tar alone writes `%25` and `%3D` for `%` and `=` in a name; engines leave that as it is.
 */
const plain = "SCHILY.xattr.";

/** Name URL-encoded, value in base64. libarchive writes these, mostly beside plain ones. */
const encoded = "LIBARCHIVE.xattr.";

/**
 * The extended attributes that PAX records hold, by name; undefined where they hold none. A value
 * in base64 that can't be decoded is kept as it is written, under the record's whole keyword.
 */
export function xattrsOf(records: PaxRecords): ReadonlyMap<ByteString, ByteString> | undefined {
  const found = new Map<ByteString, ByteString>();
  for (const [keyword, value] of records) {
    if (keyword.startsWith(plain)) found.set(keyword.slice(plain.length), value);
  }
  for (const [keyword, value] of records) {
    if (keyword.startsWith(encoded)) addEncoded(found, { keyword, value });
  }
  return found.size > 0 ? found : undefined;
}

function addEncoded(
  found: Map<ByteString, ByteString>,
  { keyword, value }: { keyword: string; value: ByteString },
): void {
  const spelled = keyword.slice(encoded.length);
  const name = decodeName(spelled);
  const decoded = decodeValue(value);
  if (decoded === undefined || name.includes("\0")) {
    found.set(keyword, value);
    return;
  }
  // libarchive encodes the name of the plain twin too, where nobody decodes it.
  if (found.get(spelled) === decoded) found.delete(spelled);
  if (!found.has(name)) found.set(name, decoded);
}

/** A `%` that no two hexadecimal digits follow stands for itself, as libarchive has it. */
function decodeName(text: string): ByteString {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** libarchive leaves out the `=` at the end. */
function decodeValue(text: string): ByteString | undefined {
  const digits = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits, "base64").toString("latin1");
}
