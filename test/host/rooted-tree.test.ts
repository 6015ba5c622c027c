import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { describe, expect, it } from "vitest";
import { pathBelow } from "../../src/host/byte-string.js";
import { baseOf, join, parentOf, RootedTree } from "../../src/host/rooted-tree.js";
import { refusal } from "../support/refusal.js";
import { scratchDirectory } from "../support/scratch-directory.js";

/** A tree with a neighbour that no path may lead to. */
function sampleTree(): RootedTree {
  const outside = scratchDirectory();
  const root = joinPath(outside, "root");
  mkdirSync(joinPath(outside, "secret"));
  mkdirSync(joinPath(root, "usr/lib/deep"), { recursive: true });
  mkdirSync(joinPath(root, "secret"));
  writeFileSync(joinPath(root, "usr/file"), "");
  const links: Record<string, string> = {
    lib: "usr/lib",
    absolute: "/usr/lib",
    "usr/up": "../usr/lib/",
    "usr/out": "../../secret",
    "usr/far": "../../../../../../../../../secret",
    "usr/abs-out": "/../../secret",
    chain: "lib/../up-again",
    "usr/up-again": "/absolute",
    "usr/lib/root": "/",
    self: "self",
    ping: "pong",
    pong: "./ping",
    dangling: "usr/new/dir",
    "absolute-dangling": "/var/lib/new",
    "to-file": "usr/file",
    slashes: "//usr///lib//",
    dot: ".",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, joinPath(root, name));
  return new RootedTree(root);
}

function making(tree: RootedTree): (path: string) => void {
  return (path) => mkdirSync(tree.at(path));
}

/** All paths below a directory. Node's own recursion would follow links. */
function namesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((child) => {
    const below = child.isDirectory() ? namesBelow(joinPath(directory, child.name)) : [];
    return [child.name, ...below.map((name) => `${child.name}/${name}`)];
  });
}

describe("RootedTree.resolveDirectory", () => {
  it.each([
    { path: "", resolved: "" },
    { path: ".", resolved: "" },
    { path: "/", resolved: "" },
    { path: "usr", resolved: "usr" },
    { path: "/usr//lib/./deep/", resolved: "usr/lib/deep" },
    { path: "lib", resolved: "usr/lib" },
    { path: "lib/deep", resolved: "usr/lib/deep" },
    { path: "absolute/deep", resolved: "usr/lib/deep" },
    { path: "slashes/deep", resolved: "usr/lib/deep" },
    { path: "dot/dot/./usr", resolved: "usr" },
    { path: "usr/up", resolved: "usr/lib" },
    { path: "chain", resolved: "usr/lib" },
    { path: "lib/root/lib/root/usr", resolved: "usr" },
    // A link's target is followed before "..", as the kernel does it.
    { path: "lib/..", resolved: "usr" },
    { path: "usr/lib/root/..", resolved: "" },
    { path: "..", resolved: "" },
    { path: "../../../secret", resolved: "secret" },
    { path: "usr/../../secret", resolved: "secret" },
    { path: "usr/out", resolved: "secret" },
    { path: "usr/far", resolved: "secret" },
    { path: "usr/abs-out", resolved: "secret" },
  ])("resolves $path to $resolved, and never out of the tree", ({ path, resolved }) => {
    const tree = sampleTree();
    expect(tree.resolveDirectory(path)).toBe(resolved);
    expect(lstatSync(tree.at(resolved)).isDirectory()).toBe(true);
  });

  it.each([
    "nosuch",
    "usr/nosuch/x",
    "dangling",
    "absolute-dangling",
    "usr/file",
    "to-file",
    "usr/file/x",
    "nosuch/..",
  ])("finds no directory at %s, and makes none unless told to", (path) => {
    const tree = sampleTree();
    const before = namesBelow(tree.root);
    expect(tree.resolveDirectory(path)).toBeUndefined();
    expect(namesBelow(tree.root)).toEqual(before);
  });

  it.each(["self", "ping", "self/x", "usr/../ping/x"])(
    "refuses %s, which leads in a circle",
    (path) => {
      const tree = sampleTree();
      for (const make of [undefined, making(tree)]) {
        expect(refusal(() => tree.resolveDirectory(path, make))).toMatchObject({
          code: "IMAGE_INVALID",
          message: `${path}: too many symbolic links`,
        });
      }
    },
  );

  it("follows forty links and no more, as the kernel", () => {
    const tree = sampleTree();
    for (let i = 0; i < 41; i++) {
      symlinkSync(i === 0 ? "usr" : `link${i - 1}`, joinPath(tree.root, `link${i}`));
    }
    expect(tree.resolveDirectory("link39")).toBe("usr");
    expect(refusal(() => tree.resolveDirectory("link40")).code).toBe("IMAGE_INVALID");
  });

  it("is done at once with links that multiply", () => {
    const tree = sampleTree();
    symlinkSync("usr", joinPath(tree.root, "m0"));
    for (let i = 1; i < 30; i++) {
      symlinkSync(`m${i - 1}/../m${i - 1}/../m${i - 1}`, joinPath(tree.root, `m${i}`));
    }
    expect(refusal(() => tree.resolveDirectory("m29")).code).toBe("IMAGE_INVALID");
  });

  it.each([
    { path: "new/a/b", resolved: "new/a/b" },
    { path: "lib/new", resolved: "usr/lib/new" },
    { path: "dangling/x", resolved: "usr/new/dir/x" },
    { path: "absolute-dangling", resolved: "var/lib/new" },
    { path: "usr/far/x", resolved: "secret/x" },
    { path: "new/../other", resolved: "other" },
    { path: "usr/file/x", resolved: "usr/file/x" },
    { path: "to-file", resolved: "usr/file" },
    { path: "d\xefr/\xff", resolved: "d\xefr/\xff" },
  ])("makes what is missing on the way of $path, at $resolved", ({ path, resolved }) => {
    const tree = sampleTree();
    expect(tree.resolveDirectory(path, making(tree))).toBe(resolved);
    expect(lstatSync(tree.at(resolved)).isDirectory()).toBe(true);
    expect(namesBelow(joinPath(tree.root, "../secret"))).toEqual([]);
    expect(readdirSync(joinPath(tree.root, ".."))).toEqual(["root", "secret"]);
  });

  it("follows links whose targets are no UTF-8", () => {
    const tree = sampleTree();
    mkdirSync(pathBelow(tree.root, "\xff\xfe"));
    symlinkSync(Buffer.from("\xff\xfe", "latin1"), joinPath(tree.root, "odd"));
    expect(tree.resolveDirectory("odd")).toBe("\xff\xfe");
  });
});

describe("RootedTree.resolveLinks", () => {
  it.each([
    { path: "", resolved: "" },
    { path: "usr/lib/deep", resolved: "usr/lib/deep" },
    { path: "lib/deep/new", resolved: "usr/lib/deep/new" },
    { path: "usr/far/x", resolved: "secret/x" },
    { path: "nosuch/a/b", resolved: "nosuch/a/b" },
    { path: "dangling/x", resolved: "usr/new/dir/x" },
    { path: "usr/file/x/y", resolved: "usr/file/x/y" },
    { path: "nosuch/a/../../lib/b", resolved: "usr/lib/b" },
  ])("takes $path to $resolved, whether it is there or not", ({ path, resolved }) => {
    const tree = sampleTree();
    const before = namesBelow(tree.root);
    expect(tree.resolveLinks(path)).toBe(resolved);
    expect(namesBelow(tree.root)).toEqual(before);
  });

  it("goes as far beyond PATH_MAX as it is asked to", () => {
    const path = `nosuch/${"n/".repeat(5000)}n`;
    expect(sampleTree().resolveLinks(path)).toBe(path);
  });

  it.each(["self/x", "ping"])("refuses %s, which leads in a circle", (path) => {
    expect(refusal(() => sampleTree().resolveLinks(path)).code).toBe("IMAGE_INVALID");
  });
});

describe("RootedTree.kindOf", () => {
  it.each([
    { path: "", kind: "directory" },
    { path: "usr", kind: "directory" },
    { path: "usr/file", kind: "file" },
    { path: "lib", kind: "symlink" },
    { path: "self", kind: "symlink" },
    { path: "nosuch", kind: "missing" },
  ])("says that $path is a $kind", ({ path, kind }) => {
    expect(sampleTree().kindOf(path)).toBe(kind);
  });
});

describe("RootedTree, on what it has seen", () => {
  it("forgets a directory that it removes, and all below", () => {
    const tree = sampleTree();
    expect(tree.resolveDirectory("usr/lib/deep")).toBe("usr/lib/deep");
    expect(tree.isKnownDirectory("usr/lib/deep")).toBe(true);
    tree.remove("usr");
    for (const path of ["usr", "usr/lib", "usr/lib/deep"]) {
      expect(tree.isKnownDirectory(path)).toBe(false);
    }
    expect(tree.kindOf("usr")).toBe("missing");
    symlinkSync("/secret", joinPath(tree.root, "usr"));
    expect(tree.resolveDirectory("usr/lib")).toBeUndefined();
    expect(tree.resolveDirectory("usr")).toBe("secret");
  });

  it("keeps what only begins with the same letters", () => {
    const tree = sampleTree();
    mkdirSync(joinPath(tree.root, "usr2/lib"), { recursive: true });
    tree.resolveDirectory("usr2/lib");
    tree.resolveDirectory("usr/lib");
    tree.remove("usr");
    expect(tree.isKnownDirectory("usr2")).toBe(true);
    expect(tree.isKnownDirectory("usr2/lib")).toBe(true);
  });

  it("removes a link and not what it leads to", () => {
    const tree = sampleTree();
    tree.resolveDirectory("lib/deep");
    tree.remove("lib");
    expect(tree.kindOf("lib")).toBe("missing");
    expect(tree.resolveDirectory("usr/lib/deep")).toBe("usr/lib/deep");
    expect(lstatSync(tree.at("usr/lib/deep")).isDirectory()).toBe(true);
  });

  it("forgets what was in a directory that it empties, and keeps the directory", () => {
    const tree = sampleTree();
    tree.resolveDirectory("usr/lib/deep");
    tree.empty("usr");
    expect(tree.isKnownDirectory("usr")).toBe(true);
    expect(tree.isKnownDirectory("usr/lib")).toBe(false);
    expect(tree.kindOf("usr/lib")).toBe("missing");
    tree.empty("");
    expect(tree.isKnownDirectory("usr")).toBe(false);
    expect(tree.isKnownDirectory("")).toBe(true);
    expect(readdirSync(tree.root)).toEqual([]);
  });

  it("takes a caller's word for a directory", () => {
    const tree = sampleTree();
    mkdirSync(tree.at("made"));
    tree.addDirectory("made");
    expect(tree.isKnownDirectory("made")).toBe(true);
    expect(tree.resolveDirectory("made")).toBe("made");
  });

  it("removes nothing without an error", () => {
    const tree = sampleTree();
    tree.remove("nosuch");
    expect(tree.kindOf("nosuch")).toBe("missing");
  });
});

describe("paths in a tree", () => {
  it.each([
    { path: "", parent: "", base: "" },
    { path: "a", parent: "", base: "a" },
    { path: "a/b/c", parent: "a/b", base: "c" },
  ])("takes $path apart and puts it together", ({ path, parent, base }) => {
    expect(parentOf(path)).toBe(parent);
    expect(baseOf(path)).toBe(base);
    expect(join(parent, base)).toBe(path);
  });
});
