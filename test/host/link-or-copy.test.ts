import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { linkOrCopy } from "../../src/host/link-or-copy.js";
import { scratchDirectory } from "../support/scratch-directory.js";

const refusals = vi.hoisted(() => ({ errno: "", of: new Set<number>() }));

vi.mock("node:fs", async (load) => {
  const fs = await load<typeof import("node:fs")>();
  const refused = (path: string | Buffer) => {
    if (refusals.of.size === 0) return true;
    return refusals.of.has(fs.lstatSync(path).ino);
  };
  return {
    ...fs,
    linkSync: vi.fn((source: string | Buffer, target: string | Buffer) => {
      if (refusals.errno !== "" && refused(source)) {
        throw Object.assign(new Error(refusals.errno), { code: refusals.errno });
      }
      fs.linkSync(source, target);
    }),
  };
});

const options = { mayHaveAttributes: false };

beforeEach(() => {
  refusals.errno = "";
  refusals.of.clear();
});

function source(): string {
  const path = `${scratchDirectory()}/source`;
  writeFileSync(path, "content");
  chmodSync(path, 0o640);
  utimesSync(path, 1000, 1000);
  return path;
}

function inodes(...paths: readonly string[]): number {
  return new Set(paths.map((path) => lstatSync(path).ino)).size;
}

describe("linkOrCopy", () => {
  test("links where that can be done", () => {
    const file = source();
    linkOrCopy(file, `${file}-2`, options);
    expect(inodes(file, `${file}-2`)).toBe(1);
  });

  test.each(["EPERM", "ENOTSUP", "EXDEV", "EMLINK"])("copies where it fails with %s", (errno) => {
    const file = source();
    refusals.errno = errno;
    linkOrCopy(file, `${file}-2`, options);
    expect(readFileSync(`${file}-2`, "utf8")).toBe("content");
    const { mode, mtimeMs } = lstatSync(`${file}-2`);
    expect([mode & 0o7777, mtimeMs]).toEqual([0o640, 1_000_000]);
    expect(inodes(file, `${file}-2`)).toBe(2);
    expect(() => linkOrCopy(file, `${file}-2`, options)).toThrow(/EEXIST/);
  });

  test("copies a symbolic link as one", () => {
    const link = `${scratchDirectory()}/link`;
    symlinkSync("nowhere", link);
    refusals.errno = "EPERM";
    linkOrCopy(link, `${link}-2`, options);
    expect(readlinkSync(`${link}-2`)).toBe("nowhere");
  });

  test("does no more than that for other errors", () => {
    const file = source();
    refusals.errno = "EROFS";
    expect(() => linkOrCopy(file, `${file}-2`, options)).toThrow("EROFS");
    expect(lstatSync(`${file}-2`, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe("a file that has as many links as the disk allows", () => {
  /** A file that no link can be made of, but of copies of it. */
  function fullFile(): string {
    const file = source();
    refusals.errno = "EMLINK";
    refusals.of.add(lstatSync(file).ino);
    return file;
  }

  test("is copied once for many names", () => {
    const file = fullFile();
    const names = [1, 2, 3, 4, 5].map((i) => `${file}-${i}`);
    for (const name of names) linkOrCopy(file, name, options);
    expect(inodes(file, ...names)).toBe(2);
    expect(lstatSync(`${file}-1`).nlink).toBe(5);
  });

  test("is copied again when the copy is full too", () => {
    const file = fullFile();
    linkOrCopy(file, `${file}-1`, options);
    refusals.of.add(lstatSync(`${file}-1`).ino);
    for (const i of [2, 3]) linkOrCopy(file, `${file}-${i}`, options);
    expect(inodes(`${file}-1`, `${file}-2`, `${file}-3`)).toBe(2);
  });

  test("is copied again when the copy is gone, was changed, or is something else", () => {
    const file = fullFile();
    const changes: readonly ((copy: string) => void)[] = [
      (copy) => rmSync(copy),
      (copy) => writeFileSync(copy, "changed"),
      (copy) => {
        rmSync(copy);
        mkdirSync(copy);
      },
      (copy) => {
        rmSync(copy);
        writeFileSync(copy, "else");
      },
    ];
    for (const [i, change] of changes.entries()) {
      linkOrCopy(file, `${file}-${i}-a`, options);
      change(`${file}-${i}-a`);
      linkOrCopy(file, `${file}-${i}-b`, options);
      expect(readFileSync(`${file}-${i}-b`, "utf8")).toBe("content");
    }
  });

  test("is told from other files", () => {
    const [first, second] = [fullFile(), fullFile()];
    writeFileSync(second, "second");
    linkOrCopy(first, `${first}-1`, options);
    linkOrCopy(second, `${second}-1`, options);
    linkOrCopy(second, `${second}-2`, options);
    expect(readFileSync(`${second}-2`, "utf8")).toBe("second");
    expect(inodes(`${first}-1`, `${second}-1`, `${second}-2`)).toBe(2);
  });
});
