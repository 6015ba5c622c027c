import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { writeAll } from "../../host/write-all.js";

/** How much is collected before it is written, in bytes. */
const blockSize = 64 * 1024;

/** Blocks that no file uses: layers are many, and the collector would not see what they take. */
const free: Buffer[] = [];

/** A new file that is written piece by piece, and hashed on the way. */
export class GrowingFile {
  readonly #fd: number;
  readonly #hash = createHash("sha256");
  readonly #block: Buffer = free.pop() ?? Buffer.allocUnsafeSlow(blockSize);
  #filled = 0;
  #isOpen = true;

  constructor(path: string) {
    this.#fd = openSync(path, "wx", 0o644);
  }

  /** @param text one character per byte */
  addText(text: string): void {
    if (text.length > blockSize) {
      this.addBytes(Buffer.from(text, "latin1"));
      return;
    }
    if (this.#filled + text.length > blockSize) this.#flush();
    this.#filled += this.#block.write(text, this.#filled, "latin1");
  }

  addBytes(bytes: Buffer): void {
    if (this.#filled + bytes.length > blockSize) this.#flush();
    if (bytes.length > blockSize) {
      this.#write(bytes);
      return;
    }
    this.#filled += bytes.copy(this.#block, this.#filled);
  }

  /** @returns SHA-256 of the whole file, in hex */
  finish(): string {
    this.#flush();
    this.close();
    return this.#hash.digest("hex");
  }

  /** Gives it up, or does nothing where it is finished. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    free.push(this.#block);
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#write(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#hash.update(bytes);
    writeAll(this.#fd, bytes);
  }
}
