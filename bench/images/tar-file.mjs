// @ts-check
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { HashTap } from "./hash-tap.mjs";

/**
 * @typedef {object} Tar a layer before it is compressed
 * @property {string} path
 * @property {string} diffId
 * @property {number} entries
 * @property {number} unpacked bytes of file content
 */

/** @typedef {Parameters<import("tar-stream").Pack["entry"]>[0]} Header */

/** All that is made up has this time, so that the same seed makes the same digests. */
const TIME = new Date("2020-01-01T00:00:00Z");

/** Writes a tar file and hashes it on the way. */
export class TarFile {
  #pack = pack();
  #tap = new HashTap();
  #entries = 0;
  #unpacked = 0;
  /** @type {string} */
  #path;
  /** @type {Promise<void>} */
  #written;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
    this.#written = pipeline(this.#pack, this.#tap, createWriteStream(path));
    this.#written.catch((error) => this.#pack.destroy(error));
  }

  /**
   * @param {Header} header
   * @param {Buffer} [content] of a file
   */
  async add(header, content) {
    this.#entries++;
    this.#unpacked += content?.length ?? 0;
    const full = { mtime: TIME, ...header, ...(content && { size: content.length }) };
    await /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        /** @param {Error | null} [error] */
        const done = (error) => (error ? reject(error) : resolve());
        const sink = this.#pack.entry(full, done);
        if (content) {
          sink.end(content);
        }
      })
    );
  }

  /** @returns {Promise<Tar>} */
  async finish() {
    this.#pack.finalize();
    await this.#written;
    return {
      path: this.#path,
      diffId: `sha256:${this.#tap.hex()}`,
      entries: this.#entries,
      unpacked: this.#unpacked,
    };
  }
}

/**
 * @param {string} path
 * @param {Iterable<import("./trees.mjs").Entry>} entries
 * @returns {Promise<Tar>}
 */
export async function writeTar(path, entries) {
  const tar = new TarFile(path);
  for (const entry of entries) {
    const { name, type } = entry;
    if (type === "file") {
      await tar.add({ name, type }, entry.content);
    } else {
      await tar.add({ ...entry });
    }
  }
  return tar.finish();
}
