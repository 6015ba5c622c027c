import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { pathBelow } from "../../src/host/byte-string.js";
import { emptyDirectory, removeTree } from "../../src/host/remove-tree.js";
import { asOrdinaryUser, scratchDirectory } from "../support/scratch-directory.js";

/** A tree whose directories lack permissions, as Nix's do, made by whoever runs. */
function lockedTree(root: string, mode: number): void {
  mkdirSync(join(root, "a/b/c"), { recursive: true });
  mkdirSync(join(root, "a/empty"));
  writeFileSync(join(root, "a/file"), "");
  writeFileSync(join(root, "a/b/c/file"), "", { mode: 0o000 });
  for (const path of ["a/b/c", "a/b", "a/empty", "a"]) chmodSync(join(root, path), mode);
}

const modes = [0o555, 0o000, 0o111, 0o222, 0o333, 0o444, 0o500, 0o077];

describe("removeTree", () => {
  it.each(modes.map((mode) => ({ mode: mode.toString(8).padStart(4, "0") })))(
    "removes directories of mode $mode, as whoever owns them",
    ({ mode }) => {
      const root = scratchDirectory();
      asOrdinaryUser(root, () => {
        lockedTree(root, Number.parseInt(mode, 8));
        removeTree(root, "a");
        expect(readdirSync(root)).toEqual([]);
      });
    },
  );

  it.each(modes)("removes directories of mode %o", (mode) => {
    const root = scratchDirectory();
    lockedTree(root, mode);
    removeTree(join(root, "a"));
    expect(readdirSync(root)).toEqual([]);
  });

  it("removes links and never what they lead to", () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "kept/d"), { recursive: true });
    writeFileSync(join(root, "kept/file"), "kept");
    chmodSync(join(root, "kept/d"), 0o555);
    mkdirSync(join(root, "tree"));
    symlinkSync("../kept", join(root, "tree/directory"));
    symlinkSync(join(root, "kept/d"), join(root, "tree/locked"));
    symlinkSync("../kept/file", join(root, "tree/file"));
    symlinkSync("nowhere", join(root, "tree/dangling"));
    symlinkSync("loop", join(root, "tree/loop"));
    linkSync(join(root, "kept/file"), join(root, "tree/hard"));
    removeTree(root, "tree");
    expect(readdirSync(root)).toEqual(["kept"]);
    expect(readFileSync(join(root, "kept/file"), "utf8")).toBe("kept");
    expect(statSync(join(root, "kept/d")).mode & 0o777).toBe(0o555);
  });

  it("removes a link that is the tree itself, and nothing else", () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "kept"));
    writeFileSync(join(root, "kept/file"), "");
    symlinkSync("kept", join(root, "link"));
    removeTree(join(root, "link"));
    expect(readdirSync(root)).toEqual(["kept"]);
    expect(readdirSync(join(root, "kept"))).toEqual(["file"]);
  });

  it("removes names that are no UTF-8", () => {
    const root = scratchDirectory();
    mkdirSync(pathBelow(root, "tr\xeee"));
    writeFileSync(pathBelow(root, "tr\xeee/\xff\xfe"), "");
    mkdirSync(pathBelow(root, "tr\xeee/d\x80"));
    writeFileSync(pathBelow(root, "tr\xeee/d\x80/\n"), "");
    removeTree(root, "tr\xeee");
    expect(readdirSync(root)).toEqual([]);
  });

  it("removes fifos and sockets", async () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "d"));
    execFileSync("mkfifo", [join(root, "d/fifo")]);
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(join(root, "d/socket"), resolve));
    removeTree(root, "d");
    expect(readdirSync(root)).toEqual([]);
  });

  it("removes a single file, and what is not there without an error", () => {
    const root = scratchDirectory();
    writeFileSync(join(root, "file"), "");
    removeTree(root, "file");
    removeTree(root, "file");
    removeTree(join(root, "no/such/thing"));
    expect(readdirSync(root)).toEqual([]);
  });

  it("removes a tree deeper than most", () => {
    const root = scratchDirectory();
    mkdirSync(join(root, "d/".repeat(500)), { recursive: true });
    removeTree(root, "d");
    expect(readdirSync(root)).toEqual([]);
  });

  it("says so when the directory around it may not be changed", () => {
    const root = scratchDirectory();
    asOrdinaryUser(root, () => {
      mkdirSync(join(root, "locked/tree"), { recursive: true });
      writeFileSync(join(root, "locked/file"), "");
      chmodSync(join(root, "locked"), 0o555);
      expect(() => removeTree(root, "locked/file")).toThrow(/EACCES/);
      expect(() => removeTree(root, "locked/tree")).toThrow(/EACCES/);
      expect(existsSync(join(root, "locked/file"))).toBe(true);
    });
  });
});

describe("emptyDirectory", () => {
  it("keeps the directory, whatever its mode was", () => {
    const root = scratchDirectory();
    asOrdinaryUser(root, () => {
      lockedTree(root, 0o555);
      emptyDirectory(root, "a");
      expect(readdirSync(root)).toEqual(["a"]);
      expect(readdirSync(join(root, "a"))).toEqual([]);
    });
  });

  it("empties the root", () => {
    const root = scratchDirectory();
    lockedTree(root, 0o755);
    emptyDirectory(root, "");
    expect(readdirSync(root)).toEqual([]);
  });
});
