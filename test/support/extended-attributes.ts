import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type ByteString, bytesOfText } from "../../src/host/byte-string.js";
import { scratchDirectory } from "./scratch-directory.js";

interface NativeAttributes {
  getAttributeSync(path: string, name: string): Buffer;
  listAttributesSync(path: string): string[];
  setAttributeSync(path: string, name: string, value: Buffer): void;
}

/** The package that the sources use, asked directly: by path. Undefined where it is not built. */
function native(): NativeAttributes | undefined {
  try {
    return createRequire(import.meta.url)("fs-xattr");
  } catch {
    return undefined;
  }
}

/** The attributes `user.*` of what stands at `path`, sorted by name, all as bytes. */
export function attributesAt(path: string): Record<ByteString, ByteString> {
  const names = native()?.listAttributesSync(path) ?? [];
  const wanted = names.filter((name) => name.startsWith("user.")).sort();
  return Object.fromEntries(
    wanted.map((name) => [
      bytesOfText(name),
      native()?.getAttributeSync(path, name).toString("latin1") ?? "",
    ]),
  );
}

/** Gives what stands at `path` attributes; names and values are bytes, names have to be UTF-8. */
export function setAttributesAt(path: string, wanted: Record<ByteString, ByteString>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const text = Buffer.from(name, "latin1").toString("utf8");
    native()?.setAttributeSync(path, text, Buffer.from(value, "latin1"));
  }
}

/** Skips the running test, with the reason, where files in `directory` can have no attributes. */
export function requireAttributes(
  context: { skip: (note: string) => void },
  directory: string = scratchDirectory(),
): void {
  if (!native()) context.skip("the native package fs-xattr is not installed");
  const file = `${directory}/requires-attributes`;
  writeFileSync(file, "");
  try {
    setAttributesAt(file, { "user.test": "1" });
  } catch (error) {
    context.skip(`no extended attributes here: ${String(error)}`);
  } finally {
    rmSync(file);
  }
}
