import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packTar } from "../e2e/support/tar-writer.js";

export type FileContent =
  | string
  | Buffer
  | { readonly symlink: string }
  | { readonly link: string };

/** Files by name, in order; a hard link's target is another of them. */
export type FileSet = ReadonlyMap<string, FileContent>;

/** Writes the files below a directory and returns it. */
export function writeFiles(directory: string, files: FileSet): string {
  for (const [name, content] of files) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) writeFileSync(path, content);
    else if ("symlink" in content) symlinkSync(content.symlink, path);
    else linkSync(join(directory, content.link), path);
  }
  return directory;
}

/** A tar archive of the files, in their order. */
export async function packFiles(files: FileSet): Promise<Buffer> {
  return await packTar(
    [...files].map(([name, content]) => {
      if (typeof content === "string" || Buffer.isBuffer(content)) return { name, content };
      return "symlink" in content
        ? { name, type: "symlink" as const, linkname: content.symlink }
        : { name, type: "link" as const, linkname: content.link };
    }),
  );
}

/** Writes an archive of the files and returns its path. */
export async function writeArchive(path: string, files: FileSet): Promise<string> {
  writeFileSync(path, await packFiles(files));
  return path;
}
