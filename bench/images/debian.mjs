// @ts-check
/** A Debian system with compilers and interpreters, in layers as a build would have made them. */
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { probe, which } from "../../scripts/lib/run.mjs";
import { ScriptError } from "../../scripts/lib/script.mjs";
import { LAYERS, layersOfPackages, pathsOf } from "./debian-layers.mjs";
import { TarFile } from "./tar-file.mjs";

const SUITE = "bookworm";
const PACKAGES = ["g++", "gdb", "git", "python3"];

/** What no image should have: device nodes, and what apt has downloaded. */
const LEFT_OUT = /^(dev|var\/cache\/apt\/archives|var\/lib\/apt\/lists)\/./;

/** Why there can be no Debian image, or undefined. */
export function debianMissing() {
  return which("mmdebstrap") === undefined ? "mmdebstrap not installed" : undefined;
}

/** @type {Omit<import("./store.mjs").Recipe, "compressions">} */
export const debian = {
  name: `debian-${SUITE}`,
  makeTars: async (directory) => {
    const root = join(directory, "root.tar");
    debootstrap(root);
    const contents = await readContents(root);
    const layers = Array.from({ length: LAYERS }, (_, i) => {
      return new TarFile(join(directory, `layer${i}.tar`));
    });
    const flat = new TarFile(join(directory, "flat.tar"));
    await distribute(root, { contents, layers, flat });
    rmSync(root);
    return {
      layers: await Promise.all(layers.map((layer) => layer.finish())),
      flat: await flat.finish(),
    };
  },
};

/** @param {string} tar */
function debootstrap(tar) {
  const options = ["--quiet", "--variant=minbase", `--include=${PACKAGES.join(",")}`];
  const { status, stderr } = probe(["mmdebstrap", ...options, "--format=tar", SUITE, tar], {
    env: { ...process.env, SOURCE_DATE_EPOCH: "1577836800" },
  });
  if (status !== 0) {
    const reason = stderr.trim().split("\n").at(-1);
    throw new ScriptError(`mmdebstrap gave status ${status}: ${reason}`);
  }
}

/** @typedef {Parameters<import("tar-stream").Pack["entry"]>[0]} Header */

/**
 * @typedef {object} Contents
 * @property {Map<string, number>} layers the layer of each path that a package owns
 * @property {Map<string, Header>} directories
 */

/**
 * @param {string} root
 * @returns {Promise<Contents>}
 */
async function readContents(root) {
  let status = "";
  /** @type {Map<string, readonly string[]>} */
  const paths = new Map();
  /** @type {Map<string, Header>} */
  const directories = new Map();
  for await (const { header, content } of entriesOf(root)) {
    if (header.type === "directory") {
      directories.set(header.name, header);
    } else if (header.name === "var/lib/dpkg/status") {
      status = content.toString("latin1");
    } else {
      const name = /^var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?\.list$/.exec(header.name)?.[1];
      if (name !== undefined) {
        paths.set(name, pathsOf(content.toString("latin1")));
      }
    }
  }
  const layers = new Map();
  for (const [name, layer] of layersOfPackages(status)) {
    for (const path of paths.get(name) ?? []) {
      layers.set(path, layer);
    }
  }
  return { layers, directories };
}

/**
 * Copies every entry into its package's layer, with the directories that it lies in.
 * @param {string} root
 * @param {{ contents: Contents, layers: readonly TarFile[], flat: TarFile }} options
 */
async function distribute(root, { contents, layers, flat }) {
  const present = layers.map(() => new Set());
  for await (const { header, content } of entriesOf(root)) {
    const { name } = header;
    if (LEFT_OUT.test(name)) {
      continue;
    }
    const body = header.type === "file" ? content : undefined;
    await flat.add({ ...header }, body);
    const layer = contents.layers.get(name) ?? 0;
    for (const directory of [...parentsOf(name), ...(header.type === "directory" ? [name] : [])]) {
      const parent = contents.directories.get(directory);
      if (parent !== undefined && !present[layer]?.has(directory)) {
        present[layer]?.add(directory);
        await layers[layer]?.add({ ...parent });
      }
    }
    if (header.type !== "directory") {
      await layers[layer]?.add({ ...header }, body);
    }
  }
}

/**
 * All entries, with names as `usr/bin`; the root itself is left out.
 * @param {string} tar
 * @returns {AsyncGenerator<{ header: Header, content: Buffer }>}
 */
async function* entriesOf(tar) {
  const entries = createReadStream(tar, { highWaterMark: 1024 * 1024 }).pipe(extract());
  for await (const entry of entries) {
    const name = entry.header.name.replace(/^(\.?\/)+|\/+$/g, "");
    const content = await buffer(entry);
    if (name !== "" && name !== ".") {
      yield { header: { ...entry.header, name }, content };
    }
  }
}

/** @param {string} name */
function parentsOf(name) {
  const words = name.split("/").slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join("/"));
}
