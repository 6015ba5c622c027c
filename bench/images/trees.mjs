// @ts-check
/** What is in the made-up layers: names, kinds, and content from a seed. */
import { contentSource } from "./content.mjs";
import { systemFileSize } from "./file-sizes.mjs";
import { between, seededRandom } from "./random.mjs";

/**
 * @typedef {{ name: string, type: "directory" }
 *   | { name: string, type: "file", content: Buffer }
 *   | { name: string, type: "symlink", linkname: string }} Entry
 */

const FILES_PER_DIRECTORY = 100;

/**
 * Many small files, a hundred to a directory.
 * @param {{ directory: string, files: number, sizes: { from: number, to: number }, seed: number }} shape
 *   sizes in bytes
 * @returns {Generator<Entry>}
 */
export function* smallFiles({ directory, files, sizes, seed }) {
  const random = seededRandom(seed);
  const content = contentSource(seed);
  yield { name: directory, type: "directory" };
  for (let index = 0; index < files; index++) {
    const below = `${directory}/d${Math.floor(index / FILES_PER_DIRECTORY)}`;
    if (index % FILES_PER_DIRECTORY === 0) {
      yield { name: below, type: "directory" };
    }
    yield { name: `${below}/f${index}`, type: "file", content: content(between(random, sizes)) };
  }
}

/**
 * A few large files, as models and data sets have them.
 * @param {{ directory: string, bytes: number, fileSize: number, seed: number }} shape
 * @returns {Generator<Entry>}
 */
export function* largeFiles({ directory, bytes, fileSize, seed }) {
  const content = contentSource(seed);
  yield { name: directory, type: "directory" };
  for (let rest = bytes, index = 0; rest > 0; rest -= fileSize, index++) {
    const size = Math.min(rest, fileSize);
    yield { name: `${directory}/${index}.bin`, type: "file", content: content(size) };
  }
}

/** For each file of a system: how many directories and symbolic links there are. */
const DIRECTORIES = 0.1;
const SYMLINKS = 0.065;

const DEEPEST = 8;

/**
 * A part of a system: files of all sizes in nested directories, with symbolic links.
 * @param {{ directory: string, bytes: number, seed: number }} shape
 * @returns {Generator<Entry>}
 */
export function* systemPart({ directory, bytes, seed }) {
  const random = seededRandom(seed);
  const content = contentSource(seed);
  const directories = [directory];
  /** @template Item @param {readonly Item[]} items */
  const anyOf = (items) => items[Math.floor(random() * items.length)];
  yield { name: directory, type: "directory" };
  for (let made = 0, index = 0; made < bytes; index++) {
    const parent = anyOf(directories) ?? directory;
    if (random() < DIRECTORIES && parent.split("/").length < DEEPEST) {
      directories.push(`${parent}/d${index}`);
      yield { name: `${parent}/d${index}`, type: "directory" };
    }
    if (random() < SYMLINKS) {
      yield { name: `${parent}/l${index}`, type: "symlink", linkname: `f${index}` };
    }
    const size = Math.min(systemFileSize(random()), bytes - made);
    made += size;
    yield { name: `${parent}/f${index}`, type: "file", content: content(size) };
  }
}
