/** The beginning of an ELF program, as far as it says which loader it needs. */
export function elfFor(
  loader: string | undefined,
  { bits = 64, order = "LE" }: { bits?: 32 | 64; order?: "LE" | "BE" } = {},
): Buffer {
  const is64 = bits === 64;
  const file = Buffer.alloc(2048);
  const half = (value: number, at: number) => file[`writeUInt16${order}`](value, at);
  const word = (value: number, at: number) => file[`writeUInt32${order}`](value, at);
  const address = (value: number, at: number) => {
    return is64 ? file[`writeBigUInt64${order}`](BigInt(value), at) : word(value, at);
  };
  file.write("\x7fELF", "latin1");
  file[4] = is64 ? 2 : 1;
  file[5] = order === "LE" ? 1 : 2;
  const table = is64 ? 64 : 52;
  const size = is64 ? 56 : 32;
  address(table, is64 ? 32 : 28);
  half(size, is64 ? 54 : 42);
  half(2, is64 ? 56 : 44);
  word(6, table);
  if (loader === undefined) return file;
  const header = table + size;
  word(3, header);
  address(1500, header + (is64 ? 8 : 4));
  address(Buffer.byteLength(loader) + 1, header + (is64 ? 32 : 16));
  file.write(`${loader}\0`, 1500);
  return file;
}
