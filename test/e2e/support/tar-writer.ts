import { buffer } from "node:stream/consumers";
import { type Header, pack } from "tar-stream";

/** A member of a tar archive. Without a type it is a file. */
export interface TarMember extends Partial<Omit<Header, "size">> {
  readonly name: string;
  readonly content?: Buffer | string;
}

/** Makes a tar archive in memory, its members in the order given. They belong to root. */
export async function packTar(members: readonly TarMember[]): Promise<Buffer> {
  const archive = pack();
  const bytes = buffer(archive);
  for (const { content, ...header } of members) {
    if (header.type === undefined || header.type === "file") {
      archive.entry(header, content ?? "");
    } else {
      archive.entry(header);
    }
  }
  archive.finalize();
  return await bytes;
}
